"""Draw the paper's agent radar, four of six axes recounted from recorded trajectories."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import agent


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    agent.write_radar(spec, args.reported, args.outcomes, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--reported", type=Path, required=True, help="reports/paper/reported.csv")
    parser.add_argument(
        "--outcomes", type=Path, required=True, help="per-episode outcome table (.tsv or .tsv.gz)"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [args.reported, args.outcomes],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
