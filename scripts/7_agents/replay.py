"""Execute recorded episodes again and compare verdicts, counters and observations with the record."""

from lemur.agents.script import read_tasks
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
    arguments.reads("--records", "folder of recorded episodes")
    read_tasks(arguments)
    arguments.writes("--table", "where the table goes; printed without it", required=False)
    arguments.writes(
        "--differences", "where every difference is listed, tab-separated", required=False
    )
    arguments.writes("--out", "replay.json to write")
    command.main(arguments, _run)


if __name__ == "__main__":
    main()
