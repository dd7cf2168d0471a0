"""Print what cleaning kept of each source of a corpus, and which source keeps nothing."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.corpus import ledger, summary

arguments = parser(__doc__)
arguments.add_argument("--statistics", type=Path, nargs="+", required=True, help="stats.json files")


def run(args, spec) -> None:
    names = [source["name"] for source in spec["sources"]]
    entries = ledger.read_statistics(args.statistics, names)
    print(summary.render_summary(spec["corpus"], entries), end="")


if __name__ == "__main__":
    main(arguments, run)
