"""Count episode outcomes from recorded MINT trajectories.

Example: --spec '{"records": "reports/paper/mint_records.tsv"}' --manifest ../shared/mirror
"""

from argparse import Namespace
from pathlib import Path
from typing import Any

from lemur.agents import outcomes, records
from lemur.core import command


def run(args: Namespace, spec: Any) -> None:
    """Write the outcome table of the records that the spec lists."""
    outcomes.write(args.out, outcomes.count(records.from_spec(spec), args.manifest))


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument(
        "--manifest",
        type=Path,
        nargs="+",
        required=True,
        help="download manifests (manifest.json) or mirror folders that hold the records",
    )
    parser.add_argument("--out", type=Path, required=True, help="outcome table, .tsv or .tsv.gz")
    command.main(parser, run, inputs=lambda args: args.manifest, outputs=lambda args: [args.out])
