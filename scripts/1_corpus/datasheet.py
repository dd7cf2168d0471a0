"""Write a corpus' datasheet from the statistics of its stages."""

from lemur.core.command import main, parser
from lemur.corpus import datasheet
from lemur.corpus.spec import DatasheetSpec

arguments = parser(__doc__)
arguments.reads("--statistics", "stats.json files", nargs="+")
arguments.reads("--documents", "all parquet parts", nargs="+")
arguments.reads("--duplicates", "duplicates.tsv", nargs="+")
arguments.reads("--facts", "duplicates.json")
arguments.reads("--dropped", "overlaps with benchmarks")
arguments.writes("--out", "datasheet.md", files=lambda out: [out, datasheet.json_path(out)])

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
        DatasheetSpec,
    )
