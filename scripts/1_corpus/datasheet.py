"""Write a corpus' datasheet from the statistics of its stages."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.corpus import datasheet
from lemur.corpus.spec import DatasheetSpec

arguments = parser(__doc__)
arguments.add_argument("--statistics", type=Path, nargs="+", required=True, help="stats.json files")
arguments.add_argument("--documents", type=Path, nargs="+", required=True, help="all parquet parts")
arguments.add_argument("--duplicates", type=Path, nargs="+", required=True, help="duplicates.tsv")
arguments.add_argument("--facts", type=Path, required=True, help="duplicates.json")
arguments.add_argument("--dropped", type=Path, required=True, help="overlaps with benchmarks")
arguments.add_argument("--out", type=Path, required=True)

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: datasheet.run(
            spec,
            args.statistics,
            args.documents,
            args.duplicates,
            args.facts,
            args.dropped,
            args.out,
        ),
        kind=DatasheetSpec,
        inputs=lambda args: [
            *args.statistics,
            *args.documents,
            *args.duplicates,
            args.facts,
            args.dropped,
        ],
        outputs=lambda args: [args.out, datasheet.json_path(args.out)],
    )
