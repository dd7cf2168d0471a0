"""Print where the report is and the numbers that matter."""

import argparse
from pathlib import Path

from lemur.core import command
from lemur.report import summary


def main() -> None:
    """Print the summary that was written beside the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, required=True, help="results/<recipe>/report.html")
    args = parser.parse_args()
    found = summary.read(args.report).numbers
    width = max(len(number.name) for number in found)
    print(f"report: {args.report}")
    for number in found:
        note = f" ({number.note})" if number.note else ""
        print(f"  {number.name:<{width}}  {number.value}{note}")


if __name__ == "__main__":
    command.guarded(main)
