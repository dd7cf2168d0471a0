"""Write the table of bits per byte of actions, by skill and model."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import action_bits, tables


def run(args: Namespace, spec: Any) -> None:
    """Write the table in four formats."""
    action_bits.write(spec, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        required=True,
        help="scores.json of models; verdicts.jsonl lies beside each",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="page, .html; .md, .csv and .tex go beside it"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: args.scores,
        outputs=lambda args: [args.out.with_suffix(suffix) for suffix in tables.FORMATS],
    )
