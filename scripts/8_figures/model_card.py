"""Write a trained model's card with its scores, and the hub's .eval_results: results/RECIPE/card/MODEL/."""

from lemur.core import command
from lemur.evaluation.score import read_scores
from lemur.report import scored_card

parser = command.parser(__doc__)
parser.reads("--model", "model folder, with its README.md", files=command.done_of)
parser.reads("--scores", "its scores.json files", nargs="*")
parser.writes("--out", "README.md")
parser.writes("--results", ".eval_results/lemur.yaml")

if __name__ == "__main__":
    command.main(
        parser,
        lambda args, spec: scored_card.write(
            spec, args.model, read_scores(args.scores), args.out, args.results
        ),
    )
