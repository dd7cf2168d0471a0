"""Describe a run as a Workflow Run RO-Crate: results/ro-crate-metadata.json."""

from pathlib import Path

from lemur.core import command
from lemur.trace import crate

parser = command.parser(__doc__)
parser.add_argument("--of", type=Path, nargs="+", required=True, help="results with .prov.json")
parser.add_argument("--out", type=Path, required=True, help="results/ro-crate-metadata.json")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: crate.write(spec, args.of, args.out),
        inputs=lambda args: args.of,
        outputs=lambda args: [args.out, args.out.parent / crate.KEPT],
    )
