"""The learning rate of a step: warm-up, then cosine, linear, constant or a late decay (wsd)."""

import math
from dataclasses import dataclass

NAMES = ("cosine", "linear", "constant", "wsd")


def warmup_steps(steps: int, share: float) -> int:
    """Steps of a warm-up given as a share of all steps, rounded to the nearest."""
    return min(steps, math.floor(share * steps + 0.5))


@dataclass(frozen=True)
class Schedule:
    """``rate(step)`` for steps 0 to ``steps - 1``.

    Rises linearly over ``rising`` steps and reaches ``peak`` at the last of them. Then ``cosine``
    and ``linear`` fall from ``peak`` towards ``final * peak``, which they would reach at step
    ``steps`` (never a step of rate 0); ``constant`` stays; ``wsd`` (warm-up, stable, decay: Hu et
    al. 2024, arXiv 2404.06395, section 4) stays and falls linearly over the last ``falling`` steps.
    """

    name: str
    peak: float
    steps: int
    rising: int
    falling: int
    final: float

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        if step < self.rising:
            return self.peak * (step + 1) / self.rising
        if self.name == "constant":
            return self.peak
        start = self.rising
        if self.name == "wsd":
            start = max(start, self.steps - self.falling)
            if step < start:
                return self.peak
        done = (step - start) / max(1, self.steps - start)
        shape = 0.5 * (1 + math.cos(math.pi * done)) if self.name == "cosine" else 1 - done
        return self.peak * (self.final + (1 - self.final) * shape)
