"""How sure a study is: hierarchical paired bootstrap, Holm's correction, simultaneous bands.

Conditions (shares of code) are compared on the same documents and, seed by seed, from the same base
and in the same order of data. Seeds and documents are both drawn again: one draw of documents holds
for all seeds and conditions, since these read the same documents.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from lemur.evaluation.intervals import holm


@dataclass(frozen=True)
class Bits:
    """``bits`` [seeds, conditions, documents] that models need, ``sizes`` [documents] in bytes."""

    bits: np.ndarray
    sizes: np.ndarray

    @property
    def values(self) -> np.ndarray:
        """Bits per byte [seeds, conditions]."""
        return self.bits.sum(2) / self.sizes.sum()

    def less(self, other: np.ndarray) -> "Bits":
        """Paired differences to ``other``, bits [seeds, documents] or [seeds, conditions, documents]."""
        apart = other if other.ndim == 3 else other[:, None, :]
        return Bits(self.bits - apart, self.sizes)


@dataclass(frozen=True)
class Estimate:
    """Of each condition: mean, 95 % interval (or as ``confidence`` says), the band that holds for all
    conditions together, p that the mean is 0 and the same by Holm's correction, and the smallest
    effect that would have been found four times in five. Arrays [conditions]."""

    mean: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    band_low: np.ndarray
    band_high: np.ndarray
    p: np.ndarray
    holm: np.ndarray
    smallest: np.ndarray


def resampled(scores: Bits, resamples: int, seed: int) -> np.ndarray:
    """Bits per byte of redrawn seeds and documents [resamples, conditions].

    Seeds are so few that redrawing them would show too little of their noise, by the factor
    (n - 1) / n; their deviations from the mean are enlarged by its root.
    """
    random = np.random.default_rng(seed)
    seeds, _, documents = scores.bits.shape
    mean = scores.bits.mean(0)
    spread = scores.bits - mean
    if seeds > 1:
        spread = spread * np.sqrt(seeds / (seeds - 1))
    found = np.empty((resamples, scores.bits.shape[1]))
    for number in range(resamples):
        chosen = np.bincount(random.integers(0, seeds, seeds), minlength=seeds) / seeds
        drawn = np.bincount(random.integers(0, documents, documents), minlength=documents)
        coded = mean @ drawn + np.tensordot(chosen, spread @ drawn, 1)
        found[number] = coded / (scores.sizes @ drawn)
    return found


def estimate(scores: Bits, confidence: float, resamples: int, seed: int) -> Estimate:
    """Mean and sureness of each condition of ``scores``, which are differences.

    Student's t takes the place of the normal distribution, with the degrees of freedom that
    Satterthwaite (1946) gives for a variance of seeds and one of documents: three seeds say little
    of their own noise. With one seed the noise between seeds is unknown and left out.
    """
    mean = scores.values.mean(0)
    drawn = resampled(scores, resamples, seed)
    error = drawn.std(0, ddof=1)
    freedom = _freedom(scores)
    critical = stats.t.ppf(0.5 + confidence / 2, freedom)
    known = error > 0
    ratio = np.divide(mean, error, out=np.zeros_like(mean), where=known)
    p = np.where(known, 2 * stats.t.sf(np.abs(ratio), freedom), np.where(mean == 0, 1.0, 0.0))
    apart = np.divide(np.abs(drawn - mean), error, out=np.zeros_like(drawn), where=known)
    # Errors of few seeds are themselves uncertain, each condition's for itself: as of Student's t.
    random = np.random.default_rng([seed, 1])
    uncertain = np.sqrt(random.chisquare(freedom, apart.shape) / freedom)
    together = np.maximum(np.quantile((apart / uncertain).max(1), confidence), critical)
    first = 1 - (1 - confidence) / max(1, int(known.sum()))  # the level of Holm's first step
    smallest = (stats.t.ppf(0.5 + first / 2, freedom) + stats.t.ppf(0.8, freedom)) * error
    return Estimate(
        mean=mean,
        error=error,
        low=mean - critical * error,
        high=mean + critical * error,
        band_low=mean - together * error,
        band_high=mean + together * error,
        p=p,
        holm=holm(p),
        smallest=smallest,
    )


def _freedom(scores: Bits) -> np.ndarray:
    """Degrees of freedom of each condition's mean [conditions]."""
    seeds, _, documents = scores.bits.shape
    total = scores.sizes.sum()
    residual = scores.bits.mean(0) - scores.values.mean(0)[:, None] * scores.sizes
    of_documents = (residual**2).sum(1) / total**2 * documents / max(1, documents - 1)
    if seeds == 1:
        return np.full(len(of_documents), float(max(1, documents - 1)))
    of_seeds = scores.values.var(0, ddof=1) / seeds
    whole = (of_seeds + of_documents) ** 2
    parts = of_seeds**2 / (seeds - 1) + of_documents**2 / max(1, documents - 1)
    return np.divide(whole, parts, out=np.full_like(whole, seeds - 1.0), where=parts > 0)
