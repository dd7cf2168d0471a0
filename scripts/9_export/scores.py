"""Write a recipe's scores as logs of Inspect (.eval) and as records of every-eval-ever."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.export import scores

    scores.write(spec["results"], args.scores, args.samples, args.logs, args.records)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument("--scores", type=Path, nargs="+", required=True, help="scores.json")
    arguments.add_argument(
        "--samples", type=Path, nargs="+", required=True, help="samples.jsonl, in the same order"
    )
    arguments.add_argument("--logs", type=Path, required=True, help="folder of .eval to write")
    arguments.add_argument(
        "--records", type=Path, required=True, help="folder of every-eval-ever to write"
    )
    command.main(
        arguments,
        _run,
        inputs=lambda args: [*args.scores, *args.samples],
        outputs=lambda args: [args.logs, args.records],
    )


if __name__ == "__main__":
    main()
