"""Write what the paper claims, what the data here say of it, and the verdict of each rule."""

from lemur.claims import table
from lemur.figures.script import OUTCOMES, REPORTED, Read, tabulate

CLAIMS = Read("claims", "the claims (reports/paper/claims.yaml)")
SCORES = Read("scores", "scores.json of a run's models", "any")


def write(spec, claims, reported, outcomes, scores, out):
    """Write the table and the verdicts."""
    table.write(spec, table.Files(claims, reported, outcomes, scores), out)


if __name__ == "__main__":
    tabulate(__doc__, write, CLAIMS, REPORTED, OUTCOMES, SCORES, more=(".json",))
