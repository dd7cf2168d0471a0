"""Write the pages on which a player's episodes open: prompt, answers, observations, verdict."""

from lemur.core import command


def _run(args, spec):
    from lemur.report import episodes

    episodes.write(spec, args.episodes, args.verdicts, args.data, args.out, args.games)


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
    arguments.writes(
        "--out",
        "index.html; its whole folder is written anew",
        files=lambda out: [out.parent],
    )
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
