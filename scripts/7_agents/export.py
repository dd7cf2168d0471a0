"""Write a player's episodes as a log of Inspect (.eval) and as ATIF trajectories (.jsonl)."""

from lemur.core import command


def _run(args, spec):
    from lemur.agents import atif, inspect_log, judged

    opened = judged.open_episodes(spec, args.episodes, args.verdicts, args.data, args.games)
    inspect_log.write(opened, args.out)
    atif.write(opened, args.trajectories)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--episodes", "episodes.jsonl")
    arguments.reads("--verdicts", "verdicts.jsonl")
    arguments.reads("--data", "manifest.json of the download, or a folder")
    arguments.reads(
        "--games",
        "the same of another environment whose games were played too",
        required=False,
    )
    arguments.writes("--out", "the log to write, .eval")
    arguments.writes("--trajectories", "the ATIF trajectories to write, .jsonl")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
