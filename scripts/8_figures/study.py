"""Draw the figure of a study: differences, forgetting, best share, and how well laws predict."""

from pathlib import Path

from lemur.core import command
from lemur.study import figure


def _run(args, spec):
    figure.draw(spec, args.analysis, args.out)


if __name__ == "__main__":
    parser = command.parser(__doc__)
    parser.add_argument("--analysis", type=Path, required=True, help="analysis.json of the study")
    parser.add_argument("--out", type=Path, required=True, help="SVG to write")
    command.main(parser, _run, inputs=lambda args: [args.analysis], outputs=lambda args: [args.out])
