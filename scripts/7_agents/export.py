"""Write a player's episodes as a log of Inspect (.eval), with Inspect's own writer."""

from pathlib import Path

from lemur import command


def _run(args, spec):
    from lemur.agents import inspect_log

    inspect_log.write(spec, args.episodes, args.verdicts, args.data, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--episodes", type=Path, required=True, help="episodes.jsonl")
    arguments.add_argument("--verdicts", type=Path, required=True, help="verdicts.jsonl")
    arguments.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or a folder"
    )
    arguments.add_argument("--out", type=Path, required=True, help="the log to write, .eval")
    command.main(
        arguments,
        _run,
        inputs=lambda args: filter(Path.is_file, [args.episodes, args.verdicts, args.data]),
        outputs=lambda args: [args.out],
    )


if __name__ == "__main__":
    main()
