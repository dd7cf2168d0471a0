"""Describe a cleaned corpus for machines: croissant.json, with responsible-AI fields."""

from lemur.core import command
from lemur.corpus.spec import DatasheetSpec


def _run(args, spec):
    from lemur.export import croissant

    croissant.write(spec, args.documents, args.statistics, args.datasheet, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--documents", "*.parquet", nargs="+")
    arguments.reads("--statistics", "*.stats.json", nargs="+")
    arguments.reads("--datasheet", "datasheet.json")
    arguments.writes("--out", "croissant.json to write")
    command.main(arguments, _run, DatasheetSpec)


if __name__ == "__main__":
    main()
