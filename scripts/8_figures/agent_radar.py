"""Draw the paper's agent radar, four of six axes recounted from recorded trajectories."""

from lemur.figures import agent
from lemur.figures.script import OUTCOMES, REPORTED, draw

if __name__ == "__main__":
    draw(__doc__, agent.write_radar, REPORTED, OUTCOMES)
