"""Bring together what was asked, answered and judged of each problem: samples.jsonl beside each score."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.evaluation import samples
    from lemur.evaluation.spec import BenchmarkSpec

    asked = [BenchmarkSpec.parse(each) for each in spec["scored"]]
    samples.run_all(asked, args.generations, args.data, args.out)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument(
        "--generations",
        type=Path,
        nargs="+",
        required=True,
        help="generations.jsonl, verdicts.jsonl beside each",
    )
    arguments.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="of each: manifest.json of the download, or held-out .jsonl",
    )
    arguments.add_argument(
        "--out", type=Path, nargs="+", required=True, help="samples.jsonl of each"
    )
    command.main(
        arguments,
        _run,
        inputs=lambda args: dict.fromkeys(
            [
                *args.generations,
                *(path.with_name("verdicts.jsonl") for path in args.generations),
                *args.data,
            ]
        ),
        outputs=lambda args: args.out,
    )


if __name__ == "__main__":
    main()
