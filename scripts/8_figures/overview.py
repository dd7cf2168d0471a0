"""Draw the paper's training overview."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import overview


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    overview.write(spec, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
