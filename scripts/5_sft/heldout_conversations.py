"""Choose conversations that the fine-tuning of a recipe does not see, to measure it by."""

import argparse

from lemur.core import command
from lemur.data.documents import shards
from lemur.data.drop_lists import read_overlaps
from lemur.mixture.benchmark_texts import problems
from lemur.mixture.decontaminate import Index
from lemur.sft.conversation import HeldoutConversationsSpec
from lemur.sft.heldout import held_out, write

parser = command.parser(__doc__)
parser.reads("--conversations", "conversations.jsonl, which is trained on")
parser.reads("--manifests", "manifest.json", nargs="*")
parser.reads("--documents", "for docstrings: parquet", nargs="*")
parser.reads("--dropped", "dropped.tsv: documents not to read", required=False)
parser.reads("--benchmarks", "manifests: leave out what overlaps them", nargs="*")
parser.writes("--out", "heldout/conversations.jsonl")


def run(args: argparse.Namespace, spec: HeldoutConversationsSpec) -> None:
    """Without --benchmarks nothing is compared with them."""
    found = (problem for manifest in args.benchmarks for problem in problems(manifest))
    index = Index(found, spec.text_ngram, spec.code_ngram)
    dropped = read_overlaps(args.dropped) if args.dropped else {}
    documents = shards(args.documents)
    chosen = held_out(
        spec, args.conversations, args.manifests, documents, dropped,
        index if args.benchmarks else None,
    )  # fmt: skip
    write(chosen, args.out)


if __name__ == "__main__":
    command.main(parser, run, HeldoutConversationsSpec)
