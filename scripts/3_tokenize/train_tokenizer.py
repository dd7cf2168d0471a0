"""Train a small byte-level BPE tokenizer on files inside archives (config/tokenizers/README.md).

No rule runs this: its result is committed. The spec is {"vocabulary": N, "members": [patterns]}.
"""

import argparse
from pathlib import Path
from typing import Any

from lemur import command
from lemur.data.members import members
from lemur.tokenize.train import save, train

parser = command.parser(__doc__)
parser.add_argument("--archives", type=Path, nargs="+", required=True, help="wheels or sdists")
parser.add_argument("--out", type=Path, required=True, help="folder")


def run(args: argparse.Namespace, spec: Any) -> None:
    """Archives in the order given, members by name."""
    texts = (
        content.decode("utf-8")
        for archive in args.archives
        for _, content in members(archive, spec["members"])
    )
    save(train(texts, spec["vocabulary"]), args.out)


if __name__ == "__main__":
    command.main(parser, run, inputs=lambda args: args.archives)
