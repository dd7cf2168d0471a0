"""Sign the documents of one cleaned part, so that near-duplicates are found by joining parts."""

from lemur.core.command import main, parser
from lemur.corpus import signatures
from lemur.corpus.deduplication import SignSpec

arguments = parser(__doc__)
arguments.reads("--documents", "a cleaned part, parquet")
arguments.writes("--out", ".../part-<i>-of-<P>.npy")

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: signatures.sign(spec.deduplication, args.documents, args.out),
        SignSpec,
    )
