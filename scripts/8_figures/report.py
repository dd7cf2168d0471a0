"""Write results/<recipe>/report.html: one static page that opens offline."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.report import page, summary


def run(args: Namespace, spec: Any) -> None:
    """Write the report."""
    inputs = page.Inputs(
        figures=args.figures,
        scores=args.scores,
        metrics=args.metrics,
        plan=args.plan,
        realised=args.realised,
        statistics=args.statistics,
        datasheet=args.datasheet,
        recipes=args.recipes,
        cards=args.cards,
    )
    page.write(spec, inputs, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--figures", type=Path, nargs="+", required=True, help="figures (.svg) and tables (.html)"
    )
    parser.add_argument(
        "--scores", type=Path, nargs="*", default=[], help="scores.json of models and benchmarks"
    )
    parser.add_argument(
        "--metrics",
        type=Path,
        nargs="+",
        required=True,
        help="pretrain/metrics.jsonl and sft/metrics.jsonl",
    )
    parser.add_argument("--plan", type=Path, help="plan.json of the mixture")
    parser.add_argument("--realised", type=Path, help="realised.json of the packing")
    parser.add_argument(
        "--statistics", type=Path, nargs="*", default=[], help="stats.json of the corpus' parts"
    )
    parser.add_argument("--datasheet", type=Path, help="datasheet.json of the corpus")
    parser.add_argument(
        "--recipes", type=Path, nargs="*", default=[], help="resolved recipes of other runs"
    )
    parser.add_argument(
        "--cards", type=Path, nargs="*", default=[], help="README.md of the recipe's models"
    )
    parser.add_argument("--out", type=Path, required=True, help="report.html")
    command.main(
        parser,
        run,
        inputs=lambda args: [
            *args.figures,
            *args.scores,
            *args.metrics,
            args.plan,
            args.realised,
            *args.statistics,
            args.datasheet,
            *args.recipes,
            *args.cards,
        ],
        outputs=lambda args: [args.out, summary.path_beside(args.out)],
    )
