"""Write what the paper claims, what the data here say of it, and the verdict of each rule."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.claims import table
from lemur.core import command
from lemur.figures import tables


def run(args: Namespace, spec: Any) -> None:
    """Write the table and the verdicts."""
    files = table.Files(args.claims, args.reported, args.outcomes, args.scores)
    table.write(spec, files, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--claims", type=Path, required=True, help="the claims (reports/paper/claims.yaml)"
    )
    parser.add_argument(
        "--reported", type=Path, required=True, help="the paper's numbers (reported.csv)"
    )
    parser.add_argument(
        "--outcomes", type=Path, required=True, help="per-episode outcome table (.tsv or .tsv.gz)"
    )
    parser.add_argument(
        "--scores", type=Path, nargs="*", default=[], help="scores.json of a run's models"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="page, .html; .md, .csv, .tex and the verdicts as .json go beside it",
    )
    command.main(
        parser,
        run,
        inputs=lambda args: [args.claims, args.reported, args.outcomes, *args.scores],
        outputs=lambda args: [
            args.out.with_suffix(suffix) for suffix in (*tables.FORMATS, ".json")
        ],
    )
