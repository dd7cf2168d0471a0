"""Write the actions of solved episodes with their contexts, as bits_per_byte_actions reads them."""

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
    parser.reads("--episodes", "episodes.jsonl of episodes that were played", group=given)
    parser.reads("--records", "folder of episodes that were recorded elsewhere", group=given)
    parser.reads("--data", "manifest.json of the download, or a folder")
    parser.add_argument(
        "--context-bytes", type=int, default=1500, help="the end of what was read, so many bytes"
    )
    parser.writes("--out", "JSON lines: id, context, action")
    command.main(parser, _run)
