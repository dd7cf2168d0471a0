"""Write a run's training as a board of trackio: a folder for TRACKIO_DIR."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.export import trackio_board

    stages = {path.parent.name: path for path in args.metrics}
    trackio_board.write(spec["recipe"], stages, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument(
        "--metrics", type=Path, nargs="+", required=True, help="metrics.jsonl of each stage"
    )
    arguments.add_argument("--out", type=Path, required=True, help="the folder to write")
    command.main(arguments, _run, inputs=lambda args: args.metrics, outputs=lambda args: [args.out])


if __name__ == "__main__":
    main()
