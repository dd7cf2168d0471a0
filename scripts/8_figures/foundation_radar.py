"""Draw the paper's radar of eight foundation benchmarks for its chat models."""

from lemur.figures import foundation
from lemur.figures.script import REPORTED, draw

if __name__ == "__main__":
    draw(__doc__, foundation.write_radar, REPORTED)
