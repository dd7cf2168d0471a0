"""What a study found, by the rules of its design: supported, refuted or not decided, and one sentence."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from lemur.study.findings import Best, Outcome
from lemur.study.statistics import Estimate

SUPPORTED, REFUTED, OPEN = "supported", "refuted", "not decided"


def enough(seeds: int, needed: int) -> str | None:
    """Why nothing can be decided with so few seeds; None where it can."""
    if seeds >= needed:
        return None
    return f"{seeds} of the {needed} seeds that the design asks for: the noise between seeds is not known well enough"  # fmt: skip


def best_share_below(best: Best, share: float, short: str | None) -> tuple[str, str]:
    """Whether the best share lies below ``share``: its whole interval has to."""
    shown = words(best)
    if short is not None:
        return OPEN, f"{shown}; {short}"
    if best.high < share:
        return SUPPORTED, shown
    if best.low >= share:
        return REFUTED, shown
    return OPEN, f"{shown}, which holds {share:.3f}"


def worse_than_base(forgotten: Estimate, number: int, by: float, short: str | None) -> tuple[str, str]:  # fmt: skip
    """Whether condition ``number`` is more than ``by`` bits per byte worse than the base."""
    mean, low, high = (float(x[number]) for x in (forgotten.mean, forgotten.low, forgotten.high))
    shown = f"{mean:+.3f} bits per byte ({low:+.3f} to {high:+.3f}) against the base"
    if short is not None:
        return OPEN, f"{shown}; {short}"
    if low > by:
        return SUPPORTED, shown
    if high <= by:
        return REFUTED, shown
    return OPEN, f"{shown}, which holds {by:g}"


def same_ranking(
    apart: Mapping[str, Mapping[tuple[int, int], tuple[float, float]]], equal: float, short: str | None
) -> tuple[str, str]:  # fmt: skip
    """Whether sizes rank the shares alike. ``apart``: of each size and each pair of shares the
    simultaneous band of their difference. A pair counts where two sizes both tell it apart by more
    than ``equal``; one pair that they order differently refutes."""
    if len(apart) < 2:
        return OPEN, "one size has no other to agree with"
    compared = agreed = 0
    for combination, other in combinations(apart.values(), 2):
        for pair, band in combination.items():
            mine, theirs = _direction(band, equal), _direction(other[pair], equal)
            if mine and theirs:
                compared, agreed = compared + 1, agreed + (mine == theirs)
    shown = (
        f"{agreed} of {compared} pairs of shares that two sizes both tell apart are ordered alike"
    )
    if short is not None:
        return OPEN, f"{shown}; {short}"
    if compared == 0:
        return OPEN, "no pair of shares is told apart at two sizes"
    return (SUPPORTED if agreed == compared else REFUTED), shown


def _direction(band: tuple[float, float], equal: float) -> int:
    low, high = band
    return 1 if low > equal else -1 if high < -equal else 0


def words(best: Best) -> str:
    """``best share of code 0.480 (0.400 to 0.560)``, and that it is at the edge where it is."""
    edge = "" if best.edge is None else ", at the edge of the shares tried"
    return f"best share of code {best.share:.3f} ({best.low:.3f} to {best.high:.3f}{edge})"


def sentence(study: str, base: str, measure: str, best: Best, outcomes: Sequence[Outcome], missing: str | None) -> str:  # fmt: skip
    """The verdict in one sentence with an interval."""
    found = "; ".join(f"{outcome.name} is {outcome.outcome}" for outcome in outcomes)
    lack = "" if missing is None else f" ({missing})"
    return f"Study {study}, base {base}, by {measure}{lack}: {words(best)}; {found}."
