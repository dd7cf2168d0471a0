"""Draw the mixture by source, as planned and as realised."""

from lemur.figures import mixture
from lemur.figures.script import Read, draw

PLAN = Read("plan", "plan.json of the mixture")
REALISED = Read("realised", "realised.json of the packing")

if __name__ == "__main__":
    draw(__doc__, mixture.write, PLAN, REALISED)
