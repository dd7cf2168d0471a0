"""Tokenize conversations as ChatML with an exact loss mask and pack them."""

from pathlib import Path

from lemur.core import command
from lemur.sft.conversation import TokensSpec
from lemur.sft.tokens import write_sft

# What write_sft puts beside index.json.
BESIDE = (
    "realised.json",
    "conversations.bin",
    "conversations.mask",
    "conversations.names.json",
    "conversations.offsets.npy",
    "segments.npy",
    "sequences.npy",
)

parser = command.parser(__doc__)
parser.add_argument("--conversations", type=Path, required=True, help="conversations.jsonl")
parser.add_argument("--tokenizer", type=Path, required=True, help="model folder")
parser.add_argument("--out", type=Path, required=True, help="index.json")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: write_sft(spec, args.conversations, args.tokenizer, args.out),
        kind=TokensSpec,
        inputs=lambda args: [args.conversations, args.tokenizer.parent / "DONE.json"],
        outputs=lambda args: [args.out, *(args.out.parent / name for name in BESIDE)],
    )
