"""The learning rate of a step: warm-up, then cosine, linear or constant."""

import math


def warmup_steps(steps: int, share: float) -> int:
    """Steps of a warm-up given as a share of all steps, rounded to the nearest."""
    return min(steps, math.floor(share * steps + 0.5))


def learning_rate(
    step: int, steps: int, peak: float, name: str, warmup: float, final: float
) -> float:
    """Rate of step ``step`` (from 0) of ``steps``.

    Rises linearly over the warm-up and reaches ``peak`` at its last step; then falls from ``peak``
    towards ``final * peak``, which it would reach at step ``steps`` (never a step of rate 0).
    """
    rising = warmup_steps(steps, warmup)
    if step < rising:
        return peak * (step + 1) / rising
    if name == "constant":
        return peak
    done = (step - rising) / max(1, steps - rising)
    shape = 1 - done if name == "linear" else 0.5 * (1 + math.cos(math.pi * done))
    return peak * (final + (1 - final) * shape)
