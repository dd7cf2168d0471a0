"""Judge recorded generations: scores.json with interval and settings, verdicts.jsonl beside it."""

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
    arguments.reads("--generations", "generations.jsonl")
    arguments.reads("--data", "manifest.json of the download, or held-out .jsonl")
    written = command.and_beside("verdicts.jsonl", "prompt.txt")
    arguments.writes("--out", "scores.json to write", files=written)
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
