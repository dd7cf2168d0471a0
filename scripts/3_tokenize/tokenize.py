"""Tokenize one part of a source: token file, document offsets and a description."""

import argparse
from pathlib import Path

from lemur.core import command
from lemur.data.documents import shard
from lemur.tokenization.encoder import Encoder
from lemur.tokenization.token_files import TokenizeSpec, tokenize

parser = command.parser(__doc__)
parser.add_argument("--documents", type=Path, required=True, help="cleaned part, parquet")
parser.add_argument("--tokenizer", type=Path, required=True, help="model folder")
parser.add_argument("--out", type=Path, required=True, help="part-<i>-of-<P>.json")


def run(args: argparse.Namespace, spec: TokenizeSpec) -> None:
    """Of the tokenizer that is named the folder's tokenizer.json decides."""
    shuffle = spec.lines == "shuffled"
    tokenize(shard(args.documents), Encoder(args.tokenizer), args.out, shuffle_lines=shuffle)


if __name__ == "__main__":
    command.main(
        parser,
        run,
        kind=TokenizeSpec,
        inputs=lambda args: [args.documents, args.tokenizer.parent / "DONE.json"],
        outputs=lambda args: [
            args.out,
            args.out.with_suffix(".bin"),
            args.out.with_suffix(".offsets.npy"),
        ],
    )
