"""What the scripts of both training stages share: their arguments, and that they train."""

from argparse import Namespace

from lemur.config.values import Values
from lemur.core import command


def _run(args: Namespace, spec: Values) -> None:
    from lemur.training.stage import run  # torch, after the arguments are checked

    run(spec, args.model, args.index, args.out, args.track)


def train(description: str | None) -> None:
    """Train as the command line says; ``description`` is the script's own."""
    parser = command.parser(description)
    parser.reads("--model", "Hugging Face folder to start from", files=command.done_of)
    parser.reads("--index", "index.json of the packed tokens")
    parser.writes(
        "--out",
        "DONE.json; model/ goes beside it",
        files=command.by_first_rank(command.and_beside("metrics.jsonl", "model")),
    )
    parser.add_argument(
        "--track",
        action="append",
        default=[],
        metavar="tensorboard|wandb",
        help="also feed this, in a folder beside --out, offline; may be given twice",
    )
    command.main(parser, _run)
