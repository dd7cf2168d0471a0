"""Draw the figure of a study: differences, forgetting, best share, and how well laws predict."""

from lemur.core import command
from lemur.study import figure


def _run(args, spec):
    figure.draw(spec, args.analysis, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.reads("--analysis", "analysis.json of the study")
    parser.writes("--out", "SVG to write")
    command.main(parser, _run)
