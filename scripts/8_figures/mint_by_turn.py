"""Draw how many recorded episodes of MINT were solved by turn k, with and without feedback."""

from lemur.figures import mint_by_turn
from lemur.figures.script import OUTCOMES, draw

if __name__ == "__main__":
    draw(__doc__, mint_by_turn.write, OUTCOMES)
