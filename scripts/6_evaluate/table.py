"""Print the scores of all models on all benchmarks, and what was not judged."""

import argparse
import json
from pathlib import Path

from lemur.core import command
from lemur.report import printed


def main() -> None:
    """Print one row a score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", default="{}", help="what each model is called, as JSON")
    parser.add_argument("--scores", type=Path, nargs="*", default=[], help="scores.json files")
    args = parser.parse_args()
    print(printed.text_of(args.scores, json.loads(args.labels)))


if __name__ == "__main__":
    command.guarded(main)
