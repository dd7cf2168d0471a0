"""Choose the held-out documents of one kind that bits per byte are measured on."""

from lemur.core import command
from lemur.data.documents import shards
from lemur.mixture.heldout import HeldoutSpec, write

parser = command.parser(__doc__)
parser.reads("--documents", "cleaned parquet", nargs="+")
parser.writes("--out", "<kind>.jsonl")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: write(spec, shards(args.documents), args.out),
        HeldoutSpec,
    )
