"""Compare the cells of a study: contrasts, laws, verdict, and the CSV of every cell."""

from pathlib import Path

from lemur import command


def _run(args, spec):
    from lemur.study.analysis import run

    run(spec, args.scores, args.realised, args.out)


def _outputs(args):
    beside = ("cells.csv", "table.md", "verdict.txt")
    return [args.out, *(args.out.parent / name for name in beside)]


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        required=True,
        help="scores.json of every cell and measure",
    )
    parser.add_argument(
        "--realised", type=Path, nargs="*", default=[], help="realised.json of every cell's mixture"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="analysis.json; the rest goes beside it"
    )
    command.main(
        parser, _run, inputs=lambda args: [*args.scores, *args.realised], outputs=_outputs
    )  # fmt: skip
