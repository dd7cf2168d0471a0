"""Write one of the paper's tables of agents: recounted, as printed, and as a recipe's models played."""

from argparse import Namespace
from typing import Any

from lemur.agents import judged
from lemur.core import command
from lemur.figures import capability_tables, tables
from lemur.figures.script import OUTCOMES, PLAYERS, REPORTED

NAMES = (*capability_tables.TABLES, capability_tables.FEEDBACK)


def run(args: Namespace, spec: Any) -> None:
    """Write the table in four formats."""
    capability_tables.write(args.table, spec, args.reported, args.outcomes, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--table", choices=NAMES, required=True, help="which table")
    parser.reads("--scores", PLAYERS, nargs="*", files=judged.files)
    parser.reads("--reported", REPORTED.help)
    parser.reads("--outcomes", OUTCOMES.help)
    beside = tables.FORMATS[1:]
    out = f"page, .html; {', '.join(beside)} go beside it"
    parser.writes("--out", out, files=command.and_suffixes(*beside))
    command.main(parser, run)
