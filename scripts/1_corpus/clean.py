"""Keep the documents of one downloaded part that are worth training on, and count the rest."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.corpus import clean
from lemur.corpus.spec import CleanSpec

arguments = parser(__doc__)
arguments.add_argument("--manifest", type=Path, required=True, help="what download.py wrote")
arguments.add_argument("--part", type=int, default=0)
arguments.add_argument("--parts", type=int, default=1)
arguments.add_argument("--out", type=Path, required=True, help=".../part-<i>-of-<P>.parquet")

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: clean.run(spec, args.manifest, args.part, args.parts, args.out),
        kind=CleanSpec,
        inputs=lambda args: [args.manifest],
        outputs=lambda args: [args.out, clean.stats_path(args.out)],
    )
