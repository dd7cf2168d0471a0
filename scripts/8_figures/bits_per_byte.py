"""Draw bits per byte on held-out code and text for every model."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import dots


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    dots.write_bits(spec, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--scores", type=Path, nargs="+", required=True, help="scores.json of models and benchmarks"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: args.scores,
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
