"""Train a small byte-level BPE tokenizer on files inside archives (config/tokenizers/README.md).

No rule runs this: its result is committed. The spec is {"vocabulary": N, "members": [patterns]}; or
{"vocabulary": N, "members": {kind: [patterns]}, "bytes": N}: of each kind so many bytes, members of
the archives in turn.
"""

import argparse
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.data.members import members
from lemur.tokenization.train_tokenizer import equal_parts, save, train

parser = command.parser(__doc__)
parser.reads("--archives", "wheels or sdists", nargs="+")
parser.add_argument("--out", type=Path, required=True, help="folder")


def run(args: argparse.Namespace, spec: Any) -> None:
    """Archives in the order given, members by name."""

    def contents(archive: Path, patterns: list[str]) -> Any:
        return (content for _, content in members(archive, patterns))

    patterns = spec["members"]
    if isinstance(patterns, dict):
        kinds = [[contents(path, chosen) for path in args.archives] for chosen in patterns.values()]
        texts = equal_parts(dict(zip(patterns, kinds, strict=True)), spec["bytes"])
    else:
        read = (content for path in args.archives for content in contents(path, patterns))
        texts = (content.decode("utf-8") for content in read)
    save(train(texts, spec["vocabulary"]), args.out)


if __name__ == "__main__":
    command.main(parser, run)
