"""Sign the documents of one cleaned part, so that near-duplicates are found by joining parts."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.corpus import signatures
from lemur.corpus.deduplication import SignSpec

arguments = parser(__doc__)
arguments.add_argument("--documents", type=Path, required=True, help="a cleaned part, parquet")
arguments.add_argument("--out", type=Path, required=True, help=".../part-<i>-of-<P>.npy")

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: signatures.sign(spec.deduplication, args.documents, args.out),
        kind=SignSpec,
        inputs=lambda args: [args.documents],
        outputs=lambda args: [args.out],
    )
