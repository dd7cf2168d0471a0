"""Fine-tune a model on packed conversations: the pretraining loop, loss on assistant tokens only.

    sft.py --spec @spec.json --model results/RECIPE/pretrain/model \\
        --index results/RECIPE/sft/data/index.json --out results/RECIPE/sft/DONE.json

The spec is that of `scripts/4_pretrain/pretrain.py --help` with stage "sft"; vocabulary "chatml"
adds the markers that the base's tokenizer lacks and writes the chat template. Which tokens count
is in the packed data (`masks`), made by scripts/5_sft/sft_tokens.py.
"""

from lemur.training.script import train

if __name__ == "__main__":
    train(__doc__)
