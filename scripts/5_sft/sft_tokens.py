"""Tokenize conversations as ChatML with an exact loss mask and pack them."""

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
parser.reads("--conversations", "conversations.jsonl")
parser.reads("--tokenizer", "model folder", files=command.done_of)
parser.writes("--out", "index.json", files=command.and_beside(*BESIDE))

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: write_sft(spec, args.conversations, args.tokenizer, args.out),
        TokensSpec,
    )
