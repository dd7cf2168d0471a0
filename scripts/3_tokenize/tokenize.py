"""Tokenize one part of a source: token file, document offsets and a description."""

import argparse

from lemur.core import command
from lemur.data.documents import shard
from lemur.tokenization.encoder import Encoder
from lemur.tokenization.token_files import TokenizeSpec, tokenize

parser = command.parser(__doc__)
parser.reads("--documents", "cleaned part, parquet")
parser.reads("--tokenizer", "model folder", files=command.done_of)
parser.writes("--out", "part-<i>-of-<P>.json", files=command.and_suffixes(".bin", ".offsets.npy"))


def run(args: argparse.Namespace, spec: TokenizeSpec) -> None:
    """Of the tokenizer that is named the folder's tokenizer.json decides."""
    shuffle = spec.lines == "shuffled"
    tokenize(shard(args.documents), Encoder(args.tokenizer), args.out, shuffle_lines=shuffle)


if __name__ == "__main__":
    command.main(parser, run, TokenizeSpec)
