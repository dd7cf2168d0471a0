"""Draw the success of a recipe's agents against turns."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.agents import judged
from lemur.core import command
from lemur.figures import live_agents_by_turn


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    live_agents_by_turn.write(spec, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        required=True,
        help="scores.json of players; verdicts.jsonl and episodes.jsonl lie beside each",
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="SVG; its data go beside it as .csv"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: judged.files(args.scores),
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
