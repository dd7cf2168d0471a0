"""Take conversations from the packages and documents that a recipe lists."""

import argparse
from pathlib import Path

from lemur.core import command
from lemur.core.files import write_json
from lemur.data.documents import shards
from lemur.data.drop_lists import read_overlaps
from lemur.mixture.benchmark_texts import problems
from lemur.mixture.decontaminate import Index
from lemur.sft.conversation import ConversationsSpec
from lemur.sft.conversations import Counts, gather, write

parser = command.parser(__doc__)
parser.add_argument("--manifests", type=Path, nargs="*", default=[], help="manifest.json")
parser.add_argument("--documents", type=Path, nargs="*", default=[], help="for docstrings: parquet")
parser.add_argument("--dropped", type=Path, help="dropped.tsv: documents not to read")
parser.add_argument(
    "--benchmarks", type=Path, nargs="*", default=[], help="manifests: leave out what overlaps them"
)
parser.add_argument(
    "--out", type=Path, required=True, help="conversations.jsonl; sources.json goes beside it"
)


def _counts(args: argparse.Namespace) -> Path:
    return args.out.with_name("sources.json")


def run(args: argparse.Namespace, spec: ConversationsSpec) -> None:
    """Without --benchmarks nothing is compared with them."""
    index = None
    if args.benchmarks:
        found = (problem for manifest in args.benchmarks for problem in problems(manifest))
        index = Index(found, spec.text_ngram, spec.code_ngram)
    dropped = read_overlaps(args.dropped) if args.dropped else {}
    counts: dict[str, Counts] = {}
    write(gather(spec, args.manifests, shards(args.documents), dropped, index, counts), args.out)
    write_json(_counts(args), {name: vars(its) for name, its in counts.items()})


if __name__ == "__main__":
    command.main(
        parser,
        run,
        kind=ConversationsSpec,
        inputs=lambda args: [*args.manifests, *args.documents, args.dropped, *args.benchmarks],
        outputs=lambda args: [args.out, _counts(args)],
    )
