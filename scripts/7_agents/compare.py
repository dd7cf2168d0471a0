"""Compare a recount of the trajectories with the committed outcome table.

Ends with one line and a code that is not zero on the first difference. Example:
--spec '{}' --recount results/agents/mint_outcomes.tsv
--committed reports/paper/mint_outcomes.tsv.gz --out results/agents/compared.json
"""

from argparse import Namespace
from typing import Any

from lemur.agents import compare, outcomes
from lemur.core import command
from lemur.core.files import sha256_of, write_json


def run(args: Namespace, spec: Any) -> None:
    """Write how many episodes agree, or fail."""
    agreeing = compare.compare(outcomes.read(args.recount), outcomes.read(args.committed))
    print(f"{agreeing} episodes recounted: all as in {args.committed}")
    if args.out:
        committed = sha256_of(args.committed)
        write_json(args.out, {"committed_sha256": committed, "episodes": agreeing, "equal": True})


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads("--recount", "table written by count.py")
    parser.reads("--committed", "table under reports/paper/")
    parser.writes("--out", "JSON that says that they agree", required=False)
    command.main(parser, run)
