"""Write what a recipe's agents reached, as HTML, Markdown, CSV and LaTeX."""

from lemur.figures import live_agents
from lemur.figures.script import PLAYED, tabulate

if __name__ == "__main__":
    tabulate(__doc__, live_agents.write, PLAYED)
