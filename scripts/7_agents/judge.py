"""Judge recorded episodes by both rules, as the original counts and without its faults."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.agents import scoring

    verdicts = args.out.parent / "verdicts.jsonl"
    scoring.run(spec, args.episodes, args.data, args.out, verdicts, args.games)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--episodes", type=Path, required=True, help="episodes.jsonl")
    arguments.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or a folder"
    )
    arguments.add_argument(
        "--games", type=Path, help="the same of another environment whose games are played too"
    )
    arguments.add_argument("--out", type=Path, required=True, help="scores.json to write")
    command.main(
        arguments,
        _run,
        inputs=lambda args: filter(
            Path.is_file, [args.episodes, args.data, args.games or args.data]
        ),
        outputs=lambda args: [args.out, args.out.parent / "verdicts.jsonl"],
    )


if __name__ == "__main__":
    main()
