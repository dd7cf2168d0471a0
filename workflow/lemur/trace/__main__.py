"""Print how a result was made, back to the pinned sources.

python -m lemur.trace results/mini/report.html
"""

import argparse
import sys
from pathlib import Path

from lemur.core.command import guarded
from lemur.trace import chain, records


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, nargs="+", help="a file below results/ or resources/")
    args = parser.parse_args()
    sys.stdout.write(chain.text([records.check(path) for path in args.path]))


if __name__ == "__main__":
    guarded(main)
