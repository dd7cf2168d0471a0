"""List the exact and near-duplicates of a corpus, one drop list a source."""

from lemur.core.command import main, parser
from lemur.corpus import duplicates
from lemur.corpus.deduplication import DuplicatesSpec

arguments = parser(__doc__)
arguments.reads("--documents", "all parquet parts", nargs="+")
arguments.reads("--signatures", "of each part, npy", nargs="*")
arguments.writes(
    "--out-dir",
    "results/corpus/<corpus>",
    files=lambda out: [out / duplicates.FACTS, *sorted(out.glob("*/duplicates.tsv"))],
)

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: duplicates.run(spec, args.documents, args.signatures, args.out_dir),
        DuplicatesSpec,
    )
