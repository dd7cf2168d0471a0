"""Hold bits per byte of agents' actions against success, of all models that have both."""

from lemur.agents import judged
from lemur.figures import action_ranking
from lemur.figures.script import JUDGED, OUTCOMES, PLAYERS, Read, draw

PLAYED = Read("played", PLAYERS, "any", judged.files)

if __name__ == "__main__":
    draw(__doc__, action_ranking.write, JUDGED, PLAYED, OUTCOMES, more=(".txt",))
