"""Whole numbers in given proportions that sum to a given total (largest remainder, Hamilton)."""

from collections.abc import Mapping
from fractions import Fraction


def apportion(total: int, weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Split ``total`` over names in proportion to ``weights`` (not negative, not all zero).

    Every share is its exact quota rounded down or up, and the shares sum to ``total``. The
    arithmetic is exact and ties fall by name, so that the order of the names changes nothing.
    """
    whole = sum(weights.values(), Fraction(0))
    if whole <= 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError("weights must not be negative and not all be zero")
    quotas = {name: total * Fraction(weight) / whole for name, weight in weights.items()}
    shares = {name: int(quota) for name, quota in quotas.items()}
    left = total - sum(shares.values())
    by_remainder = sorted(quotas, key=lambda name: (shares[name] - quotas[name], name))
    for name in by_remainder[:left]:
        shares[name] += 1
    return shares


def exact(value: float | int | str) -> Fraction:
    """A number as it was written: ``0.1`` is one tenth, not the nearest binary fraction."""
    return Fraction(str(value))
