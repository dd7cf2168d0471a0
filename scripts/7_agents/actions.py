"""Write the actions of solved episodes with their contexts, as bits_per_byte_actions reads them."""

from pathlib import Path

from lemur.core import command


def _run(args, spec):
    from lemur.agents import actions

    count = actions.write(
        spec, args.episodes, args.data, args.context_bytes, args.out, args.records
    )
    print(f"{count} actions")


if __name__ == "__main__":
    parser = command.parser(__doc__)
    given = parser.add_mutually_exclusive_group(required=True)
    given.add_argument("--episodes", type=Path, help="episodes.jsonl of episodes that were played")
    given.add_argument(
        "--records", type=Path, help="folder of episodes that were recorded elsewhere"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="manifest.json of the download, or a folder"
    )
    parser.add_argument(
        "--context-bytes", type=int, default=1500, help="the end of what was read, so many bytes"
    )
    parser.add_argument("--out", type=Path, required=True, help="JSON lines: id, context, action")
    command.main(
        parser,
        _run,
        inputs=lambda args: filter(Path.is_file, [args.episodes or args.data, args.data]),
        outputs=lambda args: [args.out],
    )
