"""Draw the paper's radar of eight foundation benchmarks for its chat models."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import foundation


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    foundation.write_radar(spec, args.reported, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--reported", type=Path, required=True, help="reports/paper/reported.csv")
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [args.reported],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
