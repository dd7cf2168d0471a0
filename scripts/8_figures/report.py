"""Write results/<recipe>/report.html: one static page that opens offline."""

from argparse import Namespace
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
    parser.reads("--figures", "figures (.svg) and tables (.html)", nargs="+")
    parser.reads("--scores", "scores.json of models and benchmarks", nargs="*")
    parser.reads("--metrics", "pretrain/metrics.jsonl and sft/metrics.jsonl", nargs="+")
    parser.reads("--plan", "plan.json of the mixture", required=False)
    parser.reads("--realised", "realised.json of the packing", required=False)
    parser.reads("--statistics", "stats.json of the corpus' parts", nargs="*")
    parser.reads("--datasheet", "datasheet.json of the corpus", required=False)
    parser.reads("--recipes", "resolved recipes of other runs", nargs="*")
    parser.reads("--cards", "README.md of the recipe's models", nargs="*")
    parser.writes("--out", "report.html", files=lambda out: [out, summary.path_beside(out)])
    command.main(parser, run)
