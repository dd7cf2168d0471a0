"""Which benchmarks carry a signal at this size: what a step of training changed beyond chance, all
benchmarks taken together, and how much the others would have had to change.

Many scores are compared, so that one in twenty would differ by chance alone: p values are adjusted
by Holm's method over the benchmarks of a step. The noise is of the problems and documents that were
asked; that between seeds is not in it, since a recipe trains once (a study has it).
"""

from collections.abc import Sequence
from itertools import groupby

from lemur.evaluation.intervals import Z
from lemur.evaluation.score import Score
from lemur.figures.paired import corrected
from lemur.report.worse import Change, changes

POWER = 0.8416212335729143  # 80 % point of the normal distribution


def mean(change: Change) -> str:
    """The difference with its unit."""
    apart = change.apart.mean
    return f"{apart:+.3f} bits per byte" if change.bits else f"{100 * apart:+.1f} points"


def smallest(change: Change) -> str:
    """The difference that would have been found four times in five, had there been one."""
    effect = (Z + POWER) * change.apart.standard_error
    return f"{effect:.3f} bits per byte" if change.bits else f"{100 * effect:.0f} points"


def sentences(scores: Sequence[Score]) -> list[str]:
    """One for each step of training with at least two scores that can be compared in pairs."""
    said = []
    for step, group in groupby(changes(scores), key=lambda change: change.step):
        compared = list(group)
        if len(compared) < 2:
            continue
        adjusted = corrected([change.apart for change in compared])
        sure = [
            f"{change.benchmark} ({mean(change)}{change.formats})"
            for change, apart in zip(compared, adjusted, strict=True)
            if apart.mark
        ]
        silent = [
            f"{change.benchmark} {smallest(change)}"
            for change, apart in zip(compared, adjusted, strict=True)
            if not apart.mark
        ]
        text = f"{step} changed {len(sure)} of {len(compared)} scores beyond chance (Holm's correction)"
        text += f": {', '.join(sure)}." if sure else "."
        if silent:
            text += (
                f" To be seen four times in five, a change had to be at least: {', '.join(silent)}."
            )
        said.append(text)
    return said
