"""Describe a run as a Workflow Run RO-Crate: results/ro-crate-metadata.json."""

from lemur.core import command
from lemur.trace import crate

parser = command.parser(__doc__)
parser.reads("--of", "results with .prov.json", nargs="+")
parser.writes("--out", "results/ro-crate-metadata.json", files=command.and_beside(str(crate.KEPT)))

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: crate.write(spec, args.of, args.out),
    )
