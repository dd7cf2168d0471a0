"""Draw the paper's training overview."""

from lemur.figures import overview
from lemur.figures.script import draw

if __name__ == "__main__":
    draw(__doc__, overview.write)
