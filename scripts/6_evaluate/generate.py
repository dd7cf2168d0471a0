"""Ask one model one benchmark; every response is kept as it comes, and a killed run continues."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.evaluation import asked_together
    from lemur.evaluation.spec import BenchmarkSpec

    benchmark = asked_together.Benchmark(BenchmarkSpec.parse(spec), args.data, args.out)
    asked_together.answer(benchmark, args.model, args.planned)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads("--model", "Hugging Face folder", files=command.done_of)
    arguments.reads("--data", "manifest.json of the download, or held-out .jsonl")
    arguments.add_argument(
        "--planned",
        type=Path,
        help="what the whole run asks this model: what no other job has begun is asked here too",
    )
    arguments.writes("--out", "generations.jsonl to write", files=command.and_beside("responses"))
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
