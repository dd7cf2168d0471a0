"""Write a player's episodes as a log of Inspect (.eval) and as ATIF trajectories (.jsonl)."""

from lemur.agents.script import read_episodes
from lemur.core import command


def _run(args, spec):
    from lemur.agents import atif, inspect_log, judged

    opened = judged.open_episodes(spec, args.episodes, args.verdicts, args.data, args.games)
    inspect_log.write(opened, args.out)
    atif.write(opened, args.trajectories)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    read_episodes(arguments)
    arguments.writes("--out", "the log to write, .eval")
    arguments.writes("--trajectories", "the ATIF trajectories to write, .jsonl")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
