"""Print the success rates of all players in all environments, and what was left out."""

import argparse
from pathlib import Path

from lemur.agents import table
from lemur.core import command


def main() -> None:
    """Print one row a score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, nargs="*", default=[], help="scores.json files")
    parser.add_argument("--opened", type=Path, help="the page that leads to every episode")
    args = parser.parse_args()
    print(table.print_table(args.scores, args.opened))


if __name__ == "__main__":
    command.guarded(main)
