"""Write one of the paper's tables of agents: recounted, as printed, and as a recipe's models played."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.agents import judged
from lemur.core import command
from lemur.figures import capability_tables, tables

NAMES = (*capability_tables.TABLES, capability_tables.FEEDBACK)


def run(args: Namespace, spec: Any) -> None:
    """Write the table in four formats."""
    capability_tables.write(args.table, spec, args.reported, args.outcomes, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--table", choices=NAMES, required=True, help="which table")
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="*",
        default=[],
        help="scores.json of players; verdicts.jsonl and episodes.jsonl lie beside each",
    )
    parser.add_argument("--reported", type=Path, required=True, help="reports/paper/reported.csv")
    parser.add_argument(
        "--outcomes", type=Path, required=True, help="per-episode outcome table (.tsv or .tsv.gz)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="page, .html; .md, .csv and .tex go beside it"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [*judged.files(args.scores), args.reported, args.outcomes],
        outputs=lambda args: [args.out.with_suffix(suffix) for suffix in tables.FORMATS],
    )
