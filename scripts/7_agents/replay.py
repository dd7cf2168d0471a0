"""Execute recorded episodes again and compare verdicts, counters and observations with the record."""

from pathlib import Path

from lemur.core import command
from lemur.core.files import write_text


def _run(args, spec):
    from lemur.agents import replay
    from lemur.agents.play_spec import folder_of

    data = folder_of(args.data)
    settings, batch, limit = spec.get("settings", {}), spec.get("batch", 4), spec.get("limit")
    if args.games is not None:
        settings = {**settings, "games": folder_of(args.games)}
    table = replay.run(
        spec["environment"], settings, args.records, data, args.out, batch, limit, args.differences
    )
    if args.table is None:
        print(table)
    else:
        write_text(args.table, table + "\n")


def main() -> None:
    """Parse and run."""
    arguments = command.parser(__doc__)
    arguments.add_argument(
        "--records", type=Path, required=True, help="folder of recorded episodes"
    )
    arguments.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or a folder"
    )
    arguments.add_argument(
        "--games", type=Path, help="the same of another environment whose games are played too"
    )
    arguments.add_argument("--table", type=Path, help="where the table goes; printed without it")
    arguments.add_argument(
        "--differences", type=Path, help="where every difference is listed, tab-separated"
    )
    arguments.add_argument("--out", type=Path, required=True, help="replay.json to write")
    command.main(
        arguments,
        _run,
        inputs=lambda args: filter(Path.is_file, [args.data, args.games or args.data]),
        outputs=lambda args: [args.out, args.table, args.differences],
    )


if __name__ == "__main__":
    main()
