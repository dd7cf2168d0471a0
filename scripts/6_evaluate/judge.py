"""Judge recorded generations: scores.json with interval and settings, verdicts.jsonl beside it."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.evaluation import asked_together, judged_early
    from lemur.evaluation.spec import BenchmarkSpec

    asked = BenchmarkSpec.parse(spec)
    code = asked_together.asks(asked)
    if not judged_early.take(asked, args.generations, args.data, args.out, code):
        from lemur.evaluation.judging import run  # which loads lm-eval

        run(asked, args.generations, args.data, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--generations", type=Path, required=True, help="generations.jsonl")
    arguments.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or held-out .jsonl"
    )
    arguments.add_argument("--out", type=Path, required=True, help="scores.json to write")
    command.main(
        arguments,
        _run,
        inputs=lambda args: [args.generations, args.data],
        outputs=lambda args: [
            args.out,
            args.out.parent / "verdicts.jsonl",
            args.out.parent / "prompt.txt",
        ],
    )


if __name__ == "__main__":
    main()
