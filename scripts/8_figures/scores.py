"""Draw the benchmark scores of a recipe's models with intervals."""

from lemur.figures import dots
from lemur.figures.script import SCORES, draw

if __name__ == "__main__":
    draw(__doc__, dots.write_scores, SCORES)
