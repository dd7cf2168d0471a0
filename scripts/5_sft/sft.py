"""Fine-tune a model on packed conversations: the pretraining loop, loss on assistant tokens only.

    sft.py --spec @spec.json --model results/RECIPE/pretrain/model \\
        --index results/RECIPE/sft/data/index.json --out results/RECIPE/sft/DONE.json

The spec is that of `scripts/4_pretrain/pretrain.py --help` with stage "sft"; vocabulary "chatml"
adds the markers that the base's tokenizer lacks and writes the chat template. Which tokens count
is in the packed data (`masks`), made by scripts/5_sft/sft_tokens.py.
"""

from pathlib import Path

from lemur.core import command


def run(args, spec):
    from lemur.training.stage import run as train  # heavy imports after the arguments are checked

    train(spec, args.model, args.index, args.out, args.track)


def outputs(args):
    from lemur.training.stage import rank

    written = [args.out, args.out.parent / "metrics.jsonl", args.out.parent / "model"]
    return written if rank() == 0 else []


arguments = command.parser(__doc__)
arguments.add_argument(
    "--model", type=Path, required=True, help="Hugging Face folder to start from"
)
arguments.add_argument("--index", type=Path, required=True, help="index.json of the packed tokens")
arguments.add_argument("--out", type=Path, required=True, help="DONE.json; model/ goes beside it")
arguments.add_argument(
    "--track",
    action="append",
    default=[],
    metavar="tensorboard|wandb",
    help="also feed this, in a folder beside --out, offline; may be given twice",
)

if __name__ == "__main__":
    command.main(
        arguments,
        run,
        inputs=lambda args: [args.index, args.model.parent / "DONE.json"],
        outputs=outputs,
    )
