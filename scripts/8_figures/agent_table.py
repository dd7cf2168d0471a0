"""Write the 12 labels of the paper's agent radar, each marked by where it comes from."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import agent, tables


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    agent.write_table(spec, args.reported, args.outcomes, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
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
        inputs=lambda args: [args.reported, args.outcomes],
        outputs=lambda args: [args.out.with_suffix(suffix) for suffix in tables.FORMATS],
    )
