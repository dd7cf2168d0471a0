"""Write the pages on which a player's episodes open: prompt, answers, observations, verdict."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.report import episodes

    episodes.write(spec, args.episodes, args.verdicts, args.data, args.out, args.games)


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
    arguments.add_argument(
        "--out", type=Path, required=True, help="index.html; its whole folder is written anew"
    )
    command.main(
        arguments,
        _run,
        inputs=lambda args: filter(Path.is_file, [args.episodes, args.verdicts, args.data]),
        outputs=lambda args: [args.out.parent],
    )


if __name__ == "__main__":
    main()
