"""How close the rows of a query are to those of the gold query."""

import math
import re
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from lemur.agents.environment import Verdict
from lemur.agents.episode import Episode

Rows = Sequence[tuple]


def correlation(first: Sequence[str], second: Sequence[str]) -> float:
    """Kendall's tau-b of two lists of the same length, as SciPy has it; nan without two ranks."""

    def ties(values: Sequence) -> int:
        return sum(many * (many - 1) // 2 for many in Counter(values).values())

    pairs = sorted(zip(first, second, strict=True))
    total = len(pairs) * (len(pairs) - 1) // 2
    tied, other, both = ties(first), ties(second), ties(pairs)
    if total in (tied, other):
        return math.nan
    seen: list[str] = []
    discordant = 0
    for _, group in groupby(pairs, key=lambda pair: pair[0]):
        same = [pair[1] for pair in group]
        discordant += sum(len(seen) - bisect_right(seen, value) for value in same)
        for value in same:
            insort(seen, value)
    balance = total - tied - other + both - 2 * discordant
    value = balance / math.sqrt(total - tied) / math.sqrt(total - other)
    return min(1.0, max(-1.0, value))


def reward(agent: Rows | str | None, gold: Rows) -> float:
    """The original's: rows in both over rows in either, times how alike their order is. Rows are
    compared as texts; rounded to two digits, so that nearly all of many rows are all."""
    if agent is None or isinstance(agent, str):
        return 0.0
    lists = [[str(row) for row in rows] for rows in (agent, gold)]
    counts = [Counter(rows) for rows in lists]
    common, union = counts[0] & counts[1], counts[0] | counts[1]
    if not union:
        return 1.0
    share = sum(common.values()) / sum(union.values())
    if common:
        tau = correlation(*(_within(rows, common) for rows in lists))
        if not math.isnan(tau):
            return round(tau * share, 2)
    return share


def _within(rows: Sequence[str], common: Counter[str]) -> list[str]:
    left = Counter(common)
    kept = []
    for row in rows:
        if left[row] > 0:
            left[row] -= 1
            kept.append(row)
    return kept


def agrees(agent: Rows | str | None, gold: Rows | str | None, query: str) -> str:
    """Why rows are not the gold's: the same rows as often, numbers by their value, and in the same
    order where the gold query gives one; "" where they are."""
    if gold is None or isinstance(gold, str):
        return f"the gold query fails here: {gold}"
    if agent is None or isinstance(agent, str):
        return "no rows"
    if re.search(r"\bORDER\s+BY\b(?![^(]*\))", query, re.IGNORECASE):
        return "" if list(agent) == list(gold) else "other rows or another order"
    return "" if Counter(agent) == Counter(gold) else "other rows"


def judge(episode: Episode) -> Verdict:
    """Success is a reward of 1 in some turn; strictly, the gold's rows in some turn."""
    paper = float(any(turn.reward == 1 for turn in episode.turns))
    whys = [turn.info["differs"] for turn in episode.turns if "differs" in turn.info]
    strict = float("" in whys)
    return Verdict(paper, strict, "" if strict else next(iter(reversed(whys)), "no query"))
