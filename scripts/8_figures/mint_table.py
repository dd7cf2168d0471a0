"""Write the success rates of every recorded model, counted from trajectories."""

from lemur.figures import agent
from lemur.figures.script import OUTCOMES, tabulate

if __name__ == "__main__":
    tabulate(__doc__, agent.write_recount, OUTCOMES)
