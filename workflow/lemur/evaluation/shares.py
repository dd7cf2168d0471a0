"""Shares of problems that passed, as scores.json has them beside the main score."""

import dataclasses
from collections.abc import Callable, Sequence

from lemur.evaluation import intervals
from lemur.evaluation.items import Item
from lemur.evaluation.score import Share
from lemur.evaluation.verdicts import PASSED


def share(verdicts: Sequence[str]) -> Share:
    """The share of ``verdicts`` that are passed, how many there are, and the Wilson interval."""
    passed = sum(verdict == PASSED for verdict in verdicts)
    interval = intervals.wilson(passed, len(verdicts))
    return Share(value=passed / len(verdicts), n=len(verdicts), interval=interval)


def share_beside(verdicts: Sequence[str], main: Sequence[str]) -> Share:
    """The share by another rule, and on how many problems it differs from the ``main`` verdicts
    whether one passed."""
    differ = sum(
        (other == PASSED) != (verdict == PASSED)
        for other, verdict in zip(verdicts, main, strict=True)
    )
    return dataclasses.replace(share(verdicts), differs_on=differ)


def grouped(items: Sequence[Item], group_of: Callable[[Item], str]) -> dict[str, list[Item]]:
    """Items that were judged, by group, in the order of the groups' names."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.judged:
            found.setdefault(group_of(item), []).append(item)
    return dict(sorted(found.items()))
