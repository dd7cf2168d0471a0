"""Judge recorded episodes by both rules, as the original counts and without its faults."""

from lemur.agents.script import read_tasks
from lemur.core import command


def _run(args, spec):
    from lemur.agents import scoring

    verdicts = args.out.parent / "verdicts.jsonl"
    scoring.run(spec, args.episodes, args.data, args.out, verdicts, args.games)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--episodes", "episodes.jsonl")
    read_tasks(arguments)
    arguments.writes("--out", "scores.json to write", files=command.and_beside("verdicts.jsonl"))
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
