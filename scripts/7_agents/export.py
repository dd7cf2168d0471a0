"""Write a player's episodes as a log of Inspect (.eval) and as ATIF trajectories (.jsonl)."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.agents import atif, inspect_log, judged

    opened = judged.open_episodes(spec, args.episodes, args.verdicts, args.data, args.games)
    inspect_log.write(opened, args.out)
    atif.write(opened, args.trajectories)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--episodes", type=Path, required=True, help="episodes.jsonl")
    arguments.add_argument("--verdicts", type=Path, required=True, help="verdicts.jsonl")
    arguments.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or a folder"
    )
    arguments.add_argument(
        "--games", type=Path, help="the same of another environment whose games were played too"
    )
    arguments.add_argument("--out", type=Path, required=True, help="the log to write, .eval")
    arguments.add_argument(
        "--trajectories", type=Path, required=True, help="the ATIF trajectories to write, .jsonl"
    )
    command.main(
        arguments,
        _run,
        inputs=lambda args: filter(Path.is_file, [args.episodes, args.verdicts, args.data]),
        outputs=lambda args: [args.out, args.trajectories],
    )


if __name__ == "__main__":
    main()
