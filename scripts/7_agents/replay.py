"""Execute recorded episodes again and compare verdicts, counters and observations with the record."""

from pathlib import Path

from lemur import command


def _run(args, spec):
    from lemur.agents import replay

    table = replay.run(
        spec["environment"], spec.get("settings", {}), args.records, args.data, args.out,
        spec.get("batch", 4), spec.get("limit"),
    )  # fmt: skip
    print(table)


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument(
        "--records", type=Path, required=True, help="folder of recorded episodes"
    )
    arguments.add_argument(
        "--data", type=Path, required=True, help="folder of the environment's data"
    )
    arguments.add_argument("--out", type=Path, required=True, help="replay.json to write")
    command.main(arguments, _run, outputs=lambda args: [args.out])


if __name__ == "__main__":
    main()
