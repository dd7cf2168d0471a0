"""How sure a score is: intervals for shares and ratios, and the unbiased pass@k."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

Z = 1.959963984540054  # 97.5% point of the normal distribution
RESAMPLES = 2000


def wilson(successes: float, number: float) -> tuple[float, float]:
    """95% interval of a share (Wilson 1927); sensible at 0 and at 1, unlike the normal one."""
    if number < 1 or not 0 <= successes <= number:
        raise ValueError(f"{successes} of {number}")
    share, square = successes / number, Z * Z
    middle = (share + square / (2 * number)) / (1 + square / number)
    spread = math.sqrt(share * (1 - share) / number + square / (4 * number * number))
    half = Z * spread / (1 + square / number)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return (0.0 if successes == 0 else low), (1.0 if successes == number else high)


def weighted_share(
    right: Sequence[bool], weights: Sequence[float]
) -> tuple[float, tuple[float, float]]:
    """Weighted share of ``right`` and its 95% interval: Wilson's for as many items of equal weight
    as have the same variance (Kish 1965); with equal weights the plain one."""
    if len(right) != len(weights) or not len(right) or min(weights) <= 0:
        raise ValueError("as many weights as items, above 0, at least one")
    if len(set(weights)) == 1:
        return sum(right) / len(right), wilson(sum(right), len(right))
    total = math.fsum(weights)
    share = (
        math.fsum(weight for solved, weight in zip(right, weights, strict=True) if solved) / total
    )
    share = 1.0 if all(right) else share
    number = total * total / math.fsum(weight * weight for weight in weights)
    return share, wilson(share * number, number)


def bootstrap_ratio(
    above: Sequence[float], below: Sequence[float], seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95% percentile interval of sum(above) / sum(below), documents drawn with replacement."""
    top, bottom = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    if len(top) != len(bottom) or not len(top):
        raise ValueError("as many numerators as denominators, at least one")
    drawn = np.random.default_rng(seed).integers(0, len(top), (resamples, len(top)))
    ratios = top[drawn].sum(1) / bottom[drawn].sum(1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_mean(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95% percentile interval of a mean."""
    return bootstrap_ratio(values, [1.0] * len(values), seed)


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Unbiased estimate that one of ``k`` programs passes, from ``correct`` of ``samples``
    (Chen et al. 2021, arXiv 2107.03374, equation 1)."""
    if not 0 <= correct <= samples or not 1 <= k <= samples:
        raise ValueError(f"pass@{k} of {correct} correct in {samples}")
    if samples - correct < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / n for n in range(samples - correct + 1, samples + 1))


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], seed: int = 0
) -> tuple[float, float, float]:
    """Mean of ours - theirs over the same items, with its 95% bootstrap interval over items."""
    if len(ours) != len(theirs) or not len(ours):
        raise ValueError("as many items on either side, at least one")
    apart = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    low, high = bootstrap_mean(list(apart), seed)
    return float(apart.mean()), low, high


def paired_shares(ours: Sequence[bool], theirs: Sequence[bool]) -> tuple[float, float, float]:
    """Difference of two shares over the same items, with its 95% interval (Newcombe 1998, Statistics
    in Medicine 17, 2635, method 10: Wilson's intervals put together); unlike the bootstrap's it has a
    width where the items agree."""
    if len(ours) != len(theirs) or not len(ours):
        raise ValueError("as many items on either side, at least one")
    n = len(ours)
    pairs = Counter(zip(map(bool, ours), map(bool, theirs), strict=True))
    both, neither = pairs[True, True], pairs[False, False]
    mine, other = pairs[True, False], pairs[False, True]
    tables = [both + mine, both + other, n - both - mine, n - both - other]
    alike = both * neither - mine * other
    if alike > 0:  # corrected for continuity
        alike = max(0.0, alike - n / 2)
    phi = alike / math.sqrt(math.prod(tables)) if all(tables) else 0.0
    shares = tables[0] / n, tables[1] / n
    (low1, high1), (low2, high2) = wilson(tables[0], n), wilson(tables[1], n)

    def put(first: float, second: float) -> float:
        return math.sqrt(max(0.0, first * first - 2 * phi * first * second + second * second))

    apart = shares[0] - shares[1]
    low = apart - put(shares[0] - low1, high2 - shares[1])
    return apart, low, apart + put(high1 - shares[0], shares[1] - low2)


def mcnemar(ours: Sequence[bool], theirs: Sequence[bool]) -> float:
    """Exact two-sided p of McNemar's test: whether the items that only one of two models gets right
    are shared evenly between them (McNemar 1947; binomial with one half)."""
    if len(ours) != len(theirs):
        raise ValueError("as many items on either side")
    only_ours = sum(a and not b for a, b in zip(ours, theirs, strict=True))
    only_theirs = sum(b and not a for a, b in zip(ours, theirs, strict=True))
    apart, fewer = only_ours + only_theirs, min(only_ours, only_theirs)
    below = sum(math.comb(apart, count) for count in range(fewer + 1))
    return min(1.0, 2 * below / 2**apart)


def linear_combination(
    weights: Sequence[float], values: Sequence[float], edges: Sequence[tuple[float, float]]
) -> tuple[float, float, float]:
    """Sum of weights x values with its 95% interval, from the interval of each value alone; the values
    are independent (Zou, Huang and Zhang 2009, Computational Statistics and Data Analysis 53, 1080).
    An interval near 0 or 1 is not symmetric, and the sum's is not either."""
    if not len(weights) == len(values) == len(edges) or not len(weights):
        raise ValueError("as many weights as values and intervals, at least one")
    total, below, above = 0.0, 0.0, 0.0
    for weight, value, (low, high) in zip(weights, values, edges, strict=True):
        total += weight * value
        least, most = sorted((weight * low, weight * high))
        below += (weight * value - least) ** 2
        above += (most - weight * value) ** 2
    return total, total - math.sqrt(below), total + math.sqrt(above)


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Adjusted p values (Holm 1979): below a level, all of them hold together at that level."""
    given = np.asarray(p, dtype=float)
    order = np.argsort(given, kind="stable")
    adjusted = np.empty_like(given)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(given) - rank) * given[place]))
        adjusted[place] = highest
    return adjusted
