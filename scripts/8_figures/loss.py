"""Draw the training loss of pretraining and SFT."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.figures import loss


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    stages = {"pretrain": args.pretrain, "sft": args.sft}
    given = {stage: path for stage, path in stages.items() if path}
    loss.write(spec, given, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--pretrain", type=Path, required=True, help="metrics.jsonl of pretraining")
    parser.add_argument("--sft", type=Path, help="metrics.jsonl of SFT")
    parser.add_argument(
        "--scores", type=Path, nargs="*", default=[], help="scores.json of bits per byte"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [args.pretrain, args.sft, *args.scores],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
