"""List the exact and near-duplicates of a corpus, one drop list a source."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.corpus import duplicates
from lemur.corpus.deduplication import DuplicatesSpec

arguments = parser(__doc__)
arguments.add_argument("--documents", type=Path, nargs="+", required=True, help="all parquet parts")
arguments.add_argument("--signatures", type=Path, nargs="*", default=[], help="of each part, npy")
arguments.add_argument("--out-dir", type=Path, required=True, help="results/corpus/<corpus>")

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: duplicates.run(spec, args.documents, args.signatures, args.out_dir),
        kind=DuplicatesSpec,
        inputs=lambda args: [*args.documents, *args.signatures],
        outputs=lambda args: [
            args.out_dir / duplicates.FACTS,
            *sorted(args.out_dir.glob("*/duplicates.tsv")),
        ],
    )
