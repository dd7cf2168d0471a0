"""Write results/index.html: the reports of all recipes that were run in this folder, and what has none."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.core import command
from lemur.report import index
from lemur.report.summary import path_beside


def run(args: Namespace, spec: Any) -> None:
    """Write the index."""
    index.write(args.reports, args.out, args.tables)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--reports",
        type=Path,
        nargs="+",
        required=True,
        help="results/<recipe>/report.html of each",
    )
    parser.add_argument(
        "--tables",
        type=Path,
        nargs="*",
        default=(),
        help="tables of models that were scored alone and of mixtures",
    )
    parser.add_argument("--out", type=Path, required=True, help="results/index.html")
    command.main(
        parser,
        run,
        inputs=lambda args: [*args.reports, *map(path_beside, args.reports), *args.tables],
        outputs=lambda args: [args.out],
    )
