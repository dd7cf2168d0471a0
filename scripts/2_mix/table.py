"""Write the mixture as tables: plan against realised, and what each filter removed."""

import argparse
from pathlib import Path

from lemur.core.command import main, parser
from lemur.core.contracts import read_file
from lemur.core.files import write_text
from lemur.corpus import ledger
from lemur.corpus.totals import read_statistics
from lemur.mixture.planned import Plan, TableSpec
from lemur.mixture.realised import Realised
from lemur.mixture.table import render_table

arguments = parser(__doc__)
arguments.add_argument("--plan", type=Path, required=True)
arguments.add_argument("--realised", type=Path, required=True)
arguments.add_argument("--statistics", type=Path, nargs="+", required=True, help="stats.json files")
arguments.add_argument("--documents", type=Path, nargs="+", required=True, help="all parquet parts")
arguments.add_argument("--duplicates", type=Path, nargs="+", required=True, help="duplicates.tsv")
arguments.add_argument("--dropped", type=Path, required=True, help="overlaps with benchmarks")
arguments.add_argument("--out", type=Path, required=True)


def run(args: argparse.Namespace, spec: TableSpec) -> None:
    entries = read_statistics(args.statistics, spec.sources)
    ledger.take_away(entries, args.documents, args.duplicates, args.dropped)
    plan, realised = read_file(Plan, args.plan), read_file(Realised, args.realised)
    write_text(args.out, render_table(plan, realised, entries))


if __name__ == "__main__":
    main(
        arguments,
        run,
        kind=TableSpec,
        inputs=lambda args: [args.plan, args.realised, *args.statistics, args.dropped],
        outputs=lambda args: [args.out],
    )
