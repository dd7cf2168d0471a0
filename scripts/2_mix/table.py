"""Write the mixture as tables: plan against realised, and what each filter removed."""

import argparse

from lemur.core.command import main, parser
from lemur.core.contracts import read_file
from lemur.core.files import write_text
from lemur.corpus import ledger
from lemur.corpus.totals import read_statistics
from lemur.mixture.planned import Plan, TableSpec
from lemur.mixture.realised import Realised
from lemur.mixture.table import render_table

arguments = parser(__doc__)
arguments.reads("--plan", "plan.json")
arguments.reads("--realised", "realised.json")
arguments.reads("--statistics", "stats.json files", nargs="+")
arguments.reads("--documents", "all parquet parts", nargs="+")
arguments.reads("--duplicates", "duplicates.tsv", nargs="+")
arguments.reads("--dropped", "overlaps with benchmarks")
arguments.writes("--out", "mixture.md")


def run(args: argparse.Namespace, spec: TableSpec) -> None:
    entries = read_statistics(args.statistics, spec.sources)
    ledger.take_away(entries, args.documents, args.duplicates, args.dropped)
    plan, realised = read_file(Plan, args.plan), read_file(Realised, args.realised)
    write_text(args.out, render_table(plan, realised, entries))


if __name__ == "__main__":
    main(arguments, run, TableSpec)
