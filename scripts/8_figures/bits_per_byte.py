"""Draw bits per byte on held-out code and text for every model."""

from lemur.figures import dots
from lemur.figures.script import SCORES, draw

if __name__ == "__main__":
    draw(__doc__, dots.write_bits, SCORES)
