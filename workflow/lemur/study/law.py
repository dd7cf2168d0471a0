"""Mixture laws: bits per byte as a function of the share of code, and where it is least.

A law is linear in some parameters and not in others. Those that it is not linear in are tried on a
fixed grid, the others follow by least squares, so that a fit depends on no starting point and many
resamples are fitted at once. Coefficients that a law wants to be positive are; else it does not fit.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lemur.study.findings import Best

EPSILON = 0.05  # of D-CPT: keeps the term of a share of 0 finite (its paper fits it)
STEPS = 200  # between the first and the last share, among which the best is looked for
_RATES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0)
_POWERS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
Columns = Callable[[np.ndarray, tuple[float, ...]], np.ndarray]


@dataclass(frozen=True)
class Law:
    """``columns(points, nonlinear)`` [points, coefficients] of ``points`` [points, 2]: share of code
    and parameters of the model, or tokens, in millions. ``parameters`` counts all that are fitted; ``positive``
    are numbers of coefficients that must not be negative; ``logarithm``: of the logarithm of bits."""

    name: str
    source: str
    parameters: int
    nonlinear: tuple[tuple[float, ...], ...]
    columns: Columns
    positive: tuple[int, ...] = ()
    logarithm: bool = False


def _exponential(points: np.ndarray, given: tuple[float, ...]) -> np.ndarray:
    share = points[:, 0]
    return np.stack([np.ones_like(share), np.exp(given[0] * share)], 1)


def _two(points: np.ndarray, given: tuple[float, ...]) -> np.ndarray:
    share = points[:, 0]
    falling, rising = np.exp(-given[0] * share), np.exp(given[1] * (share - 1))
    return np.stack([np.ones_like(share), falling, rising], 1)


def _line(points: np.ndarray, _: tuple[float, ...]) -> np.ndarray:
    return np.stack([np.ones(len(points)), points[:, 0]], 1)


def _dcpt(points: np.ndarray, given: tuple[float, ...]) -> np.ndarray:
    share = points[:, 0]
    return np.stack([np.ones_like(share), share ** given[0], (share + EPSILON) ** -given[1]], 1)


def _dcpt_sizes(points: np.ndarray, given: tuple[float, ...]) -> np.ndarray:
    return np.concatenate([_dcpt(points, given), points[:, 1:] ** -given[2]], 1)


LAWS = (
    Law(
        "exponential", "Ye et al. 2024, arXiv 2403.16952", 3,
        tuple((sign * rate,) for rate in _RATES for sign in (-1, 1)), _exponential, (1,),
    ),
    Law(
        "two exponentials", "Ye et al. 2024, arXiv 2403.16952, of two implicit domains", 5,
        tuple(itertools.product(_RATES, _RATES)), _two, (1, 2),
    ),
    Law("log-linear", "Olmix, arXiv 2602.12237, of two domains", 2, ((),), _line, (), True),
    Law(
        "D-CPT", "Que et al. 2024, arXiv 2406.01375, at one size and one number of tokens", 5,
        tuple(itertools.product(_POWERS, _POWERS)), _dcpt, (1, 2),
    ),
)  # fmt: skip
OVER_SIZES = Law(
    "D-CPT over sizes", "Que et al. 2024, arXiv 2406.01375, at one number of tokens a parameter", 7,
    tuple(itertools.product(_POWERS, _POWERS, (0.1, 0.2, 0.3, 0.5, 0.8, 1.2))), _dcpt_sizes, (1, 2, 3),
)  # fmt: skip

OVER_TOKENS = Law(
    "D-CPT over tokens", "Que et al. 2024, arXiv 2406.01375, at one size", 7,
    OVER_SIZES.nonlinear, _dcpt_sizes, (1, 2, 3),
)  # fmt: skip


@dataclass(frozen=True)
class Fit:
    """A law fitted to rows of values: of each row the nonlinear parameters' number in the law's
    grid and the coefficients [rows, coefficients]."""

    law: Law
    chosen: np.ndarray
    coefficients: np.ndarray

    def predict(self, points: np.ndarray) -> np.ndarray:
        """Values at ``points`` [rows, points]."""
        found = np.empty((len(self.chosen), len(points)))
        for number in np.unique(self.chosen):
            rows = self.chosen == number
            columns = self.law.columns(points, self.law.nonlinear[number])
            found[rows] = self.coefficients[rows] @ columns.T
        return np.exp(found) if self.law.logarithm else found


def points_of(shares: Sequence[float], millions: float = 1.0) -> np.ndarray:
    """Points of one size: [shares, 2]."""
    return np.stack([np.asarray(shares, float), np.full(len(shares), float(millions))], 1)


def between(points: np.ndarray) -> np.ndarray:
    """Shares from the first to the last of ``points``, none beyond them."""
    return np.linspace(points[:, 0].min(), points[:, 0].max(), STEPS + 1)


def fit(law: Law, points: np.ndarray, values: np.ndarray) -> Fit:
    """Least squares of every row of ``values`` [rows, points]."""
    wanted = np.log(values) if law.logarithm else values
    rows = len(wanted)
    least = np.full(rows, np.inf)
    chosen = np.zeros(rows, int)
    coefficients = np.zeros((rows, law.columns(points, law.nonlinear[0]).shape[1]))
    for number, given in enumerate(law.nonlinear):
        columns = law.columns(points, given)
        solved = wanted @ np.linalg.pinv(columns).T
        squares = ((wanted - solved @ columns.T) ** 2).sum(1)
        # One that would have to be negative costs more than any that fits.
        squares = squares + 1e6 * (solved[:, law.positive] < 0).any(1)
        better = squares < least
        least[better], chosen[better] = squares[better], number
        coefficients[better] = solved[better]
    return Fit(law, chosen, coefficients)


def left_out(law: Law, points: np.ndarray, values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Predictions of ``values`` [rows, points], each made without its group (a share, or a size)."""
    found = np.empty_like(values)
    for group in np.unique(groups):
        out = groups == group
        found[:, out] = fit(law, points[~out], values[:, ~out]).predict(points[out])
    return found


@dataclass(frozen=True)
class Choice:
    """Of rows of values: the law with the least error each, as a number in ``LAWS`` [rows]; mean
    errors by law, a value a row; and the chosen laws' predictions, each share left out in turn."""

    law: np.ndarray
    errors: dict[str, np.ndarray]
    predicted: np.ndarray


def choose(points: np.ndarray, values: np.ndarray) -> Choice:
    """The law of each row of ``values`` [rows, points] that errs least on a share that it was fitted
    without, among those that have enough shares to be fitted so.

    Errors are of shares between the first and the last: a law is asked for nothing outside them, and
    an end that is left out would be.
    """
    groups = points[:, 0]
    inside = (groups > groups.min()) & (groups < groups.max())
    errors: dict[str, np.ndarray] = {}
    chosen, least = np.zeros(len(values), int), np.full(len(values), np.inf)
    predicted = np.empty_like(values)
    for number, law in enumerate(LAWS):
        if law.parameters > len(np.unique(groups)) - 1:
            continue
        tried = left_out(law, points, values, groups)
        errors[law.name] = np.abs(tried - values)[:, inside].mean(1)
        better = errors[law.name] < least
        least[better], chosen[better] = errors[law.name][better], number
        predicted[better] = tried[better]
    return Choice(chosen, errors, predicted)


def _best_shares(points: np.ndarray, values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    shares, found = between(points), np.empty(len(values))
    grid = points_of(shares, points[0, 1])
    for number in np.unique(chosen):
        rows = chosen == number
        found[rows] = shares[fit(LAWS[number], points, values[rows]).predict(grid).argmin(1)]
    return found


def best_share(points: np.ndarray, values: np.ndarray, drawn: np.ndarray, confidence: float) -> Best:  # fmt: skip
    """Where the law of ``values`` [points] is least; its interval from ``drawn`` [resamples, points].

    The law is chosen anew for each resample, so that the interval also holds what is unsure in that.
    """
    share = float(_best_shares(points, values[None], choose(points, values[None]).law)[0])
    shares = _best_shares(points, drawn, choose(points, drawn).law)
    low, high = np.quantile(shares, [0.5 - confidence / 2, 0.5 + confidence / 2])
    low, high = min(float(low), share), max(float(high), share)
    first, last = (float(end) for end in between(points)[[0, -1]])
    edge = first if low <= first else last if high >= last else None
    return Best(share, low, high, edge)
