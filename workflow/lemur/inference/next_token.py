"""From a model's scores to its next token."""

import random

import torch

from lemur.core.errors import UserError


def best(scores: torch.Tensor) -> list[int]:
    """The highest of each row of float32 [rows, vocabulary], the first of several. ``UserError``
    where it is not a number."""
    if scores.device.type == "cpu":  # numpy's is many times faster there
        found = torch.from_numpy(scores.numpy().argmax(-1))
    else:
        found = scores.argmax(-1)
    # Both take what is no number for the highest.
    if scores.gather(-1, found[:, None]).isnan().any():
        raise UserError(
            "the model's scores are not numbers: its weights are damaged, or too large for this "
            "precision"
        )
    return found.tolist()


def drawn(scores: torch.Tensor, temperature: float, top_p: float, draw: random.Random) -> int:
    """One of ``scores`` [vocabulary], by ``temperature`` and nucleus (Holtzman et al. 2020, arXiv
    1904.09751)."""
    shares = (scores / temperature).softmax(-1).double()
    ranked, numbers = shares.sort(descending=True)
    total = ranked.cumsum(-1)
    last = int((total < top_p).sum()) if top_p < 1 else len(total) - 1
    last = min(last, len(total) - 1)
    point = draw.random() * float(total[last])
    return int(numbers[min(int((total <= point).sum()), last)])
