"""Bring together what was asked, answered and judged of each problem: samples.jsonl beside each score."""

from lemur.core import command


def _run(args, spec):
    from lemur.evaluation import samples
    from lemur.evaluation.spec import BenchmarkSpec

    asked = [BenchmarkSpec.parse(each) for each in spec["scored"]]
    samples.run_all(asked, args.generations, args.data, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.reads(
        "--generations",
        "generations.jsonl, verdicts.jsonl beside each",
        nargs="+",
        files=command.and_beside("verdicts.jsonl"),
    )
    arguments.reads(
        "--data", "of each: manifest.json of the download, or held-out .jsonl", nargs="+"
    )
    arguments.writes("--out", "samples.jsonl of each", nargs="+")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
