"""Keep the documents of one downloaded part that are worth training on, and count the rest."""

from lemur.core.command import main, parser
from lemur.corpus import clean
from lemur.corpus.spec import CleanSpec

arguments = parser(__doc__)
arguments.reads("--manifest", "what download.py wrote")
arguments.add_argument("--part", type=int, default=0)
arguments.add_argument("--parts", type=int, default=1)
arguments.writes(
    "--out", ".../part-<i>-of-<P>.parquet", files=lambda out: [out, clean.stats_path(out)]
)

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: clean.run(spec, args.manifest, args.part, args.parts, args.out),
        CleanSpec,
    )
