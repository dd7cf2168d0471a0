"""Draw the success of a recipe's agents against turns."""

from lemur.figures import live_agents_by_turn
from lemur.figures.script import PLAYED, draw

if __name__ == "__main__":
    draw(__doc__, live_agents_by_turn.write, PLAYED)
