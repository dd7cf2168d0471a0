"""Write the mixture as tables: plan against realised, and what each filter removed."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.core.files import read_json, write_text
from lemur.corpus import ledger
from lemur.mixture import table

arguments = parser(__doc__)
arguments.add_argument("--plan", type=Path, required=True)
arguments.add_argument("--realised", type=Path, required=True)
arguments.add_argument("--statistics", type=Path, nargs="+", required=True, help="stats.json files")
arguments.add_argument("--documents", type=Path, nargs="+", required=True, help="all parquet parts")
arguments.add_argument("--duplicates", type=Path, nargs="+", required=True, help="duplicates.tsv")
arguments.add_argument("--dropped", type=Path, required=True, help="overlaps with benchmarks")
arguments.add_argument("--out", type=Path, required=True)


def run(args, spec) -> None:
    entries = ledger.read_statistics(args.statistics, spec["sources"])
    ledger.take_away(entries, args.documents, args.duplicates, args.dropped)
    write_text(
        args.out, table.render_table(read_json(args.plan), read_json(args.realised), entries)
    )


if __name__ == "__main__":
    main(
        arguments,
        run,
        inputs=lambda args: [args.plan, args.realised, *args.statistics, args.dropped],
        outputs=lambda args: [args.out],
    )
