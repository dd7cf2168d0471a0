"""List the documents that overlap a benchmark of the recipe, each with what it matched."""

import argparse

from lemur.core import command
from lemur.core.log import logger
from lemur.data.documents import shards
from lemur.mixture.benchmark_texts import chosen_problems
from lemur.mixture.decontaminate import DecontaminateSpec, Index
from lemur.mixture.overlaps import write_overlaps

parser = command.parser(__doc__)
parser.reads("--documents", "cleaned parquet", nargs="+")
parser.reads("--benchmarks", "manifest.json", nargs="*")
parser.writes("--out", "dropped.tsv")


def run(args: argparse.Namespace, spec: DecontaminateSpec) -> None:
    """Index the benchmarks, read the documents once."""
    problems = chosen_problems(args.benchmarks, spec.benchmarks)
    index = Index(problems, spec.text_ngram, spec.code_ngram)
    read, dropped = write_overlaps(shards(args.documents), index, args.out)
    logger.info(f"{dropped} of {read} documents overlap a benchmark: {args.out}")


if __name__ == "__main__":
    command.main(parser, run, DecontaminateSpec)
