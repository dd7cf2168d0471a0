"""Write the pages on which a player's episodes open: prompt, answers, observations, verdict."""

from lemur.agents.script import read_episodes
from lemur.core import command


def _run(args, spec):
    from lemur.report import episodes

    episodes.write(spec, args.episodes, args.verdicts, args.data, args.out, args.games)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    read_episodes(arguments)
    arguments.writes(
        "--out",
        "index.html; its whole folder is written anew",
        files=lambda out: [out.parent],
    )
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
