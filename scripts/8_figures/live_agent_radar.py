"""Draw the paper's agent radar with a recipe's own agents beside what is printed and recounted."""

from lemur.figures import live_agent_radar
from lemur.figures.script import OUTCOMES, PLAYED, REPORTED, draw

if __name__ == "__main__":
    draw(__doc__, live_agent_radar.write, REPORTED, OUTCOMES, PLAYED)
