"""Print where the report is and the five numbers that matter."""

import argparse
from pathlib import Path

from lemur import command
from lemur.report import numbers


def main() -> None:
    """Read the numbers from the report, so that the two cannot differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("results/report.html"))
    args = parser.parse_args()
    found = numbers.read(args.report)
    width = max(len(number.name) for number in found)
    print(f"report: {args.report}")
    for number in found:
        print(f"  {number.name:<{width}}  {number.value}")


if __name__ == "__main__":
    command.guarded(main)
