"""Ask one model all of its benchmarks in one process; each benchmark's own job takes over its answers."""

from pathlib import Path

from lemur import command


def _run(args, spec):
    from lemur.evaluate.answered import ask_all

    ask_all(spec, args.model, args.data, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--model", type=Path, required=True, help="Hugging Face folder")
    arguments.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="manifest.json of the download, or held-out .jsonl, of each benchmark in turn",
    )
    arguments.add_argument("--out", type=Path, required=True, help="answered.json to write")
    command.main(
        arguments,
        _run,
        inputs=lambda args: [*args.data, args.model.parent / "DONE.json"],
        outputs=lambda args: [args.out],
    )


if __name__ == "__main__":
    main()
