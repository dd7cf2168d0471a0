"""Write the table of bits per byte of actions, by skill and model."""

from lemur.figures import action_bits
from lemur.figures.script import JUDGED, tabulate

if __name__ == "__main__":
    tabulate(__doc__, action_bits.write, JUDGED)
