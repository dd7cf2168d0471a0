"""Describe a cleaned corpus for machines: croissant.json, with responsible-AI fields."""

from pathlib import Path

from lemur.core import command
from lemur.corpus.spec import DatasheetSpec


def _run(args, spec):
    from lemur.export import croissant

    croissant.write(spec, args.documents, args.statistics, args.datasheet, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--documents", type=Path, nargs="+", required=True, help="*.parquet")
    arguments.add_argument("--statistics", type=Path, nargs="+", required=True, help="*.stats.json")
    arguments.add_argument("--datasheet", type=Path, required=True, help="datasheet.json")
    arguments.add_argument("--out", type=Path, required=True, help="croissant.json to write")
    command.main(
        arguments,
        _run,
        kind=DatasheetSpec,
        inputs=lambda args: [*args.documents, *args.statistics, args.datasheet],
        outputs=lambda args: [args.out],
    )


if __name__ == "__main__":
    main()
