"""Write a trained model's card with its scores, and the hub's .eval_results: results/RECIPE/card/MODEL/."""

from pathlib import Path

from lemur.core import command
from lemur.evaluation.score import read_scores
from lemur.report import scored_card

parser = command.parser(__doc__)
parser.add_argument("--model", type=Path, required=True, help="model folder, with its README.md")
parser.add_argument("--scores", type=Path, nargs="*", default=[], help="its scores.json files")
parser.add_argument("--out", type=Path, required=True, help="README.md")
parser.add_argument("--results", type=Path, required=True, help=".eval_results/lemur.yaml")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: scored_card.write(
            spec, args.model, read_scores(args.scores), args.out, args.results
        ),
        inputs=lambda args: [args.model.parent / "DONE.json", *args.scores],
        outputs=lambda args: [args.out, args.results],
    )
