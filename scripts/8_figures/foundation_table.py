"""Write the paper's foundation table as HTML, Markdown, CSV and LaTeX."""

from lemur.figures import foundation
from lemur.figures.script import REPORTED, tabulate

if __name__ == "__main__":
    tabulate(__doc__, foundation.write_table, REPORTED)
