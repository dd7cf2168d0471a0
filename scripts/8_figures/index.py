"""Write results/index.html: the reports of all recipes that were run in this folder, and what has none."""

from argparse import Namespace
from typing import Any

from lemur.core import command
from lemur.report import index
from lemur.report.summary import path_beside


def run(args: Namespace, spec: Any) -> None:
    """Write the index."""
    index.write(args.reports, args.out, args.tables)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads(
        "--reports",
        "results/<recipe>/report.html of each",
        nargs="+",
        files=lambda report: [report, path_beside(report)],
    )
    parser.reads("--tables", "tables of models that were scored alone and of mixtures", nargs="*")
    parser.writes("--out", "results/index.html")
    command.main(parser, run)
