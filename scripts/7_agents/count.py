"""Count episode outcomes from recorded MINT trajectories.

Example: --spec '{"records": "reports/paper/mint_records.tsv"}' --manifest ../shared/mirror
"""

from argparse import Namespace
from typing import Any

from lemur.agents import outcomes, records
from lemur.core import command


def run(args: Namespace, spec: Any) -> None:
    """Write the outcome table of the records that the spec lists."""
    outcomes.write(args.out, outcomes.count(records.from_spec(spec), args.manifest))


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads(
        "--manifest",
        "download manifests (manifest.json) or mirror folders that hold the records",
        nargs="+",
    )
    parser.writes("--out", "outcome table, .tsv or .tsv.gz")
    command.main(parser, run)
