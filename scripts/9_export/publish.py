"""Show what would be sent to an archive, and send it where that was confirmed."""

from lemur.core import command


def _run(args, spec):
    from lemur.publish.parts import Made
    from lemur.publish.run import run

    names = (
        "model",
        "card",
        "documents",
        "statistics",
        "datasheet",
        "croissant",
        "report",
        "crate",
    )
    run(spec, Made(**{name: getattr(args, name) for name in names}))


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    for name, words in (
        ("model", "folder of the model"),
        ("card", "its README.md with scores"),
        ("datasheet", "datasheet.md of the corpus"),
        ("croissant", "croissant.json beside it"),
        ("report", "report.html"),
        ("crate", "ro-crate-metadata.json"),
    ):
        arguments.reads(f"--{name}", words, required=False)
    for name, words in (("documents", "*.parquet"), ("statistics", "*.stats.json")):
        arguments.reads(f"--{name}", words, nargs="*")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
