"""Print what differs between two recipes or two finished runs.

python -m lemur.diff mini mini-registry
python -m lemur.diff results/mini ../other/results/mini
"""

import argparse
import sys

from lemur.core.command import guarded
from lemur.diff import side, text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("first", help="a recipe: a name or a file; or a folder results/<recipe>")
    parser.add_argument("second", help="what it is compared with")
    args = parser.parse_args()
    shown = text.lines(side.read(args.first), side.read(args.second))
    sys.stdout.write("\n".join(shown) + "\n")


if __name__ == "__main__":
    guarded(main)
