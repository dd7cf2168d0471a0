"""What a recipe costs before it runs: tokens, FLOPs, GPU-hours, memory a GPU, checkpoints, disk.

Refuses a recipe whose training does not fit its devices, and names the nearest change that does.
"""

import argparse
import json

from lemur import cost
from lemur.config import arguments
from lemur.core.command import guarded
from lemur.core.contracts import plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    arguments.add(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    args = parser.parse_args()
    recipe = cost.planned(arguments.resolved(args))
    if args.json:
        print(json.dumps(plain(cost.cost(recipe)), indent=2, sort_keys=True))
    else:
        print("\n".join(cost.summary(recipe)))
    cost.check(recipe)


if __name__ == "__main__":
    guarded(main)
