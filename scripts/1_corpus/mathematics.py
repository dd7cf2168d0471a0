"""Generate the mathematics questions of a source and check them against its pin."""

from pathlib import Path

from lemur.core.command import main, parser
from lemur.corpus import mathematics

arguments = parser(__doc__)
arguments.add_argument("--out", type=Path, required=True, help=".../part-0-of-1/manifest.json")

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: mathematics.run(spec, args.out),
        kind=mathematics.MathematicsSpec,
        outputs=lambda args: [args.out, args.out.parent / "files"],
    )
