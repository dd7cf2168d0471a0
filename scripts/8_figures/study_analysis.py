"""Compare the cells of a study: contrasts, laws, verdict, and the CSV of every cell."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.study.analysis import run

    run(spec, args.scores, args.realised, args.out, so_far=args.so_far)


def _outputs(args):
    names = (args.out.name, "cells.csv", "table.md", "verdict.txt")
    written = [args.out.parent / name for name in names]
    return [path for path in written if path.exists()] if args.so_far else written


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="*",
        required=True,
        help="scores.json of every cell and measure",
    )
    parser.add_argument(
        "--realised", type=Path, nargs="*", default=[], help="realised.json of every cell's mixture"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="analysis.json; the rest goes beside it"
    )
    parser.add_argument(
        "--so-far", action="store_true", help="of the cells that are finished, of a study that runs"
    )
    command.main(
        parser, _run, inputs=lambda args: [*args.scores, *args.realised], outputs=_outputs
    )  # fmt: skip
