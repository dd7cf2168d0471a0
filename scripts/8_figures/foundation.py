"""Write our scores beside the paper's foundation table, as HTML, Markdown, CSV and LaTeX."""

from lemur.figures import compared
from lemur.figures.script import REPORTED, SCORES, Read, tabulate

DROPPED = Read("dropped", "dropped.tsv of the recipe's mixture", "perhaps")

if __name__ == "__main__":
    tabulate(__doc__, compared.write, SCORES, REPORTED, DROPPED)
