"""Take conversations from the packages and documents that a recipe lists."""

import argparse

from lemur.core import command
from lemur.core.files import write_json
from lemur.data.documents import shards
from lemur.data.drop_lists import read_overlaps
from lemur.mixture.benchmark_texts import problems
from lemur.mixture.decontaminate import Index
from lemur.sft.conversation import ConversationsSpec
from lemur.sft.conversations import Counts, gather, write

COUNTS = "sources.json"

parser = command.parser(__doc__)
parser.reads("--manifests", "manifest.json", nargs="*")
parser.reads("--documents", "for docstrings: parquet", nargs="*")
parser.reads("--dropped", "dropped.tsv: documents not to read", required=False)
parser.reads("--benchmarks", "manifests: leave out what overlaps them", nargs="*")
parser.writes(
    "--out",
    "conversations.jsonl; sources.json goes beside it",
    files=command.and_beside(COUNTS),
)


def run(args: argparse.Namespace, spec: ConversationsSpec) -> None:
    """Without --benchmarks nothing is compared with them."""
    index = None
    if args.benchmarks:
        found = (problem for manifest in args.benchmarks for problem in problems(manifest))
        index = Index(found, spec.text_ngram, spec.code_ngram)
    dropped = read_overlaps(args.dropped) if args.dropped else {}
    counts: dict[str, Counts] = {}
    write(gather(spec, args.manifests, shards(args.documents), dropped, index, counts), args.out)
    write_json(args.out.with_name(COUNTS), {name: vars(its) for name, its in counts.items()})


if __name__ == "__main__":
    command.main(parser, run, ConversationsSpec)
