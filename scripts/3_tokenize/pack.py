"""Realise a recipe's mixture as packed sequences: an index into the token files, no copies."""

import argparse

from lemur.core import command, contracts
from lemur.data.documents import shards
from lemur.data.drop_lists import read_duplicates, read_overlaps
from lemur.mixture.planned import Plan
from lemur.tokenization.described import Packed
from lemur.tokenization.pack import PackSpec, pack
from lemur.tokenization.packed_writer import write_packed
from lemur.tokenization.selection import token_parts, usable

parser = command.parser(__doc__)
parser.reads("--plan", "plan.json")
parser.reads("--dropped", "dropped.tsv of this recipe")
parser.reads("--duplicates", "duplicates.tsv", nargs="*")
parser.reads("--documents", "cleaned parquet", nargs="+")
parser.reads("--tokens", "part-<i>-of-<P>.json", nargs="+")
parser.writes(
    "--out",
    "index.json",
    files=command.and_beside("realised.json", "segments.npy", "sequences.npy"),
)


def run(args: argparse.Namespace, spec: PackSpec) -> None:
    """Read flags, offsets and drop lists; write the index."""
    plan = contracts.read_file(Plan, args.plan)
    documents = shards(args.documents)
    parts, common = token_parts(args.tokens)
    overlaps, duplicates = read_overlaps(args.dropped), read_duplicates(args.duplicates)
    sources = {
        name: usable(name, documents, parts, duplicates.get(name, set()), overlaps.get(name, set()))
        for name in (entry.name for entry in plan.sources)
    }
    made, bounds, files, realised = pack(spec, plan, sources)
    facts = Packed(
        context=spec.context,
        eos=common.eos,
        dtype=common.dtype,
        vocabulary=common.vocabulary,
        tokenizer_sha256=common.tokenizer_sha256,
    )
    write_packed(args.out, made, bounds, files, None, facts, realised)


if __name__ == "__main__":
    command.main(parser, run, PackSpec)
