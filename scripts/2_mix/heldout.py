"""Choose the held-out documents of one kind that bits per byte are measured on."""

from pathlib import Path

from lemur.core import command
from lemur.data.documents import shards
from lemur.mixture.heldout import HeldoutSpec, write

parser = command.parser(__doc__)
parser.add_argument("--documents", type=Path, nargs="+", required=True, help="cleaned parquet")
parser.add_argument("--out", type=Path, required=True, help="<kind>.jsonl")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: write(spec, shards(args.documents), args.out),
        kind=HeldoutSpec,
        inputs=lambda args: args.documents,
        outputs=lambda args: [args.out],
    )
