"""Draw how many recorded episodes of MINT were solved by turn k, with and without feedback."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import mint_by_turn


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    mint_by_turn.write(spec, args.outcomes, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--outcomes", type=Path, required=True, help="per-episode outcome table (.tsv or .tsv.gz)"
    )
    parser.add_argument("--out", type=Path, required=True, help="figure, .svg")
    command.main(
        parser,
        run,
        inputs=lambda args: [args.outcomes],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
