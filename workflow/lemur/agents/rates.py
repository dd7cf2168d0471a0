"""Success rates with intervals, from outcomes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lemur.agents.outcomes import Outcome

# The two-sided 95 % quantile of the normal distribution.
Z = 1.959963984540054


@dataclass(frozen=True)
class Rate:
    """``solved`` of ``total`` episodes."""

    solved: int
    total: int

    @property
    def percent(self) -> float:
        """Success rate in percent."""
        return 100 * self.solved / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson score interval in percent (Wilson 1927): episodes as independent draws."""
        share, n, z = self.solved / self.total, self.total, Z
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def rates(outcomes: Iterable[Outcome]) -> dict[tuple[str, str, str, str], Rate]:
    """``(model, feedback, category, task)`` to rate; task ``all`` pools a category's episodes.

    Pooled over episodes, not averaged over tasks: that is what reproduces the paper's numbers.
    """
    solved: dict[tuple[str, str, str, str], list[int]] = {}
    for outcome in outcomes:
        for task in (outcome.task, "all"):
            cell = solved.setdefault(
                (outcome.model, outcome.feedback, outcome.category, task), [0, 0]
            )
            cell[0] += outcome.solved
            cell[1] += 1
    return {key: Rate(*solved[key]) for key in sorted(solved)}
