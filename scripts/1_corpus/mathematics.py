"""Generate the mathematics questions of a source and check them against its pin."""

from lemur.core.command import and_beside, main, parser
from lemur.corpus import mathematics

arguments = parser(__doc__)
arguments.writes("--out", ".../part-0-of-1/manifest.json", files=and_beside("files"))

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: mathematics.run(spec, args.out),
        mathematics.MathematicsSpec,
    )
