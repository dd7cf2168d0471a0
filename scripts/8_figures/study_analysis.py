"""Compare the cells of a study: contrasts, laws, verdict, and the CSV of every cell."""

from lemur.core import command


def _run(args, spec):
    from lemur.study.analysis import run

    run(spec, args.scores, args.realised, args.out, so_far=args.so_far)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads("--scores", "scores.json of every cell and measure", nargs="*")
    parser.reads("--realised", "realised.json of every cell's mixture", nargs="*")
    parser.writes(
        "--out",
        "analysis.json; the rest goes beside it",
        files=command.and_beside("cells.csv", "table.md", "verdict.txt"),
    )
    parser.add_argument(
        "--so-far", action="store_true", help="of the cells that are finished, of a study that runs"
    )
    command.main(parser, _run)
