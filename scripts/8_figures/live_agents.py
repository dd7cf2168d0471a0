"""Write what a recipe's agents reached, as HTML, Markdown, CSV and LaTeX."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.agents import judged
from lemur.core import command
from lemur.figures import live_agents, tables


def run(args: Namespace, spec: Any) -> None:
    """Write the figure and its data."""
    live_agents.write(spec, args.scores, args.out)


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
        "--out", type=Path, required=True, help="page, .html; .md, .csv and .tex go beside it"
    )
    command.main(
        parser,
        run,
        inputs=lambda args: judged.files(args.scores),
        outputs=lambda args: [args.out.with_suffix(suffix) for suffix in tables.FORMATS],
    )
