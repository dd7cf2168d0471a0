"""Plan how many tokens of each source a recipe trains on.

Budgets sum to the recipe's tokens exactly and code to text is what the recipe says.
"""

from lemur.core import command
from lemur.core.contracts import read_file, write_file
from lemur.corpus.part_statistics import PartStatistics
from lemur.mixture.budget import plan
from lemur.mixture.planned import PlanSpec

parser = command.parser(__doc__)
parser.reads("--statistics", "stats.json of every part", nargs="+")
parser.writes("--out", "plan.json")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: write_file(
            args.out, plan(spec, [read_file(PartStatistics, path) for path in args.statistics])
        ),
        PlanSpec,
    )
