"""Plan how many tokens of each source a recipe trains on.

Budgets sum to the recipe's tokens exactly and code to text is what the recipe says.
"""

from pathlib import Path

from lemur.core import command
from lemur.core.files import read_json, write_json
from lemur.mixture.budget import plan

parser = command.parser(__doc__)
parser.add_argument(
    "--statistics", type=Path, nargs="+", required=True, help="stats.json of every part"
)
parser.add_argument("--out", type=Path, required=True, help="plan.json")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: write_json(
            args.out, plan(spec, [read_json(path) for path in args.statistics])
        ),
        inputs=lambda args: args.statistics,
        outputs=lambda args: [args.out],
    )
