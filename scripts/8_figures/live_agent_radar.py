"""Draw the paper's agent radar with a recipe's own agents beside what is printed and recounted."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.agents import judged
from lemur.core import command
from lemur.figures import live_agent_radar


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    live_agent_radar.write(spec, args.reported, args.outcomes, args.scores, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--scores",
        type=Path,
        nargs="+",
        required=True,
        help="scores.json of players; verdicts.jsonl and episodes.jsonl lie beside each",
    )
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
        inputs=lambda args: [*judged.files(args.scores), args.reported, args.outcomes],
        outputs=lambda args: [args.out, args.out.with_suffix(".csv")],
    )
