"""Print what cleaning kept of each source of a corpus, and which source keeps nothing."""

import argparse

from lemur.core.command import main, parser
from lemur.corpus import summary
from lemur.corpus.spec import DatasheetSpec
from lemur.corpus.totals import read_statistics

arguments = parser(__doc__)
arguments.reads("--statistics", "stats.json files", nargs="+")


def run(args: argparse.Namespace, spec: DatasheetSpec) -> None:
    entries = read_statistics(args.statistics, [pin.name for pin in spec.sources])
    print(summary.render_summary(spec.corpus, entries), end="")


if __name__ == "__main__":
    main(arguments, run, DatasheetSpec)
