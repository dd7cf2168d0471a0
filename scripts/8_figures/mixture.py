"""Draw the mixture by source, as planned and as realised."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import mixture


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    mixture.write(spec, args.plan, args.realised, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="plan.json of the mixture")
    parser.add_argument("--realised", type=Path, required=True, help="realised.json of the packing")
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [args.plan, args.realised],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
