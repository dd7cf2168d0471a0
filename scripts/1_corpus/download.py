"""Fetch one part of a pinned source, model or benchmark; resumes, retries, verifies."""

from lemur.core.command import and_beside, main, parser
from lemur.download import source_part

arguments = parser(__doc__)
arguments.add_argument("--part", type=int, default=0, help="files i, i + P, ... are this job's")
arguments.add_argument("--parts", type=int, default=1, help="how many jobs share the source")
arguments.writes("--out", ".../part-<i>-of-<P>/manifest.json", files=and_beside("files"))

if __name__ == "__main__":
    main(
        arguments,
        lambda args, spec: source_part.run(spec, args.part, args.parts, args.out),
    )
