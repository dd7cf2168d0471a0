"""Write a run's training as a board of trackio: a folder for TRACKIO_DIR."""

from lemur.core import command


def _run(args, spec):
    from lemur.export import trackio_board

    stages = {path.parent.name: path for path in args.metrics}
    trackio_board.write(spec["recipe"], stages, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--metrics", "metrics.jsonl of each stage", nargs="+")
    arguments.writes("--out", "the folder to write")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
