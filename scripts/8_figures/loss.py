"""Draw the training loss of pretraining and SFT."""

from lemur.figures import loss
from lemur.figures.script import Read, draw

PRETRAIN = Read("pretrain", "metrics.jsonl of pretraining")
SFT = Read("sft", "metrics.jsonl of SFT", "perhaps")
SCORES = Read("scores", "scores.json of bits per byte", "any")


def write(spec, pretrain, sft, scores, out):
    """Draw what there is of both stages."""
    stages = {"pretrain": pretrain, "sft": sft}
    loss.write(spec, {stage: path for stage, path in stages.items() if path}, scores, out)


if __name__ == "__main__":
    draw(__doc__, write, PRETRAIN, SFT, SCORES)
