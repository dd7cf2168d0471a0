"""Write the 12 labels of the paper's agent radar, each marked by where it comes from."""

from lemur.figures import agent
from lemur.figures.script import OUTCOMES, REPORTED, tabulate

if __name__ == "__main__":
    tabulate(__doc__, agent.write_table, REPORTED, OUTCOMES)
