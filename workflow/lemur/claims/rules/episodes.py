"""Rules on recorded episodes, which are counted here again: they can give REPRODUCED."""

from lemur.agents.axes import AXES, COUNTED, labels, printed_parts
from lemur.claims.claim import Finding, Verdict
from lemur.claims.evidence import Estimate, Evidence
from lemur.claims.rules.registry import rule, undecided, verdict_of
from lemur.core.errors import UserError, nearest
from lemur.evaluation import intervals

_SOURCE = "recorded episodes of MINT (reports/paper/mint_outcomes.tsv.gz)"


def _paired(mine: list[bool], theirs: list[bool]) -> tuple[Estimate, str]:
    """Percentage points with Newcombe's interval, and both in words with McNemar's test."""
    found = Estimate(*(100 * share for share in intervals.paired_shares(mine, theirs)))
    p = intervals.mcnemar(mine, theirs)
    words = f"{found} points on the same {len(mine):,} problems, McNemar p = {p:.2g}"
    return found, f"{words}{undecided(found)}"


def _best(evidence: Evidence, model: str, others: list, runs: list) -> str:
    """Of ``others`` the one that solves the largest share of the problems it has with ``model``."""

    def share(name: str) -> float:
        theirs = evidence.shared(model, name, runs)[1]
        return sum(theirs) / len(theirs)

    return max(others, key=share)


@rule
def recounted(evidence: Evidence, axis: str) -> Finding:
    """The two labels of an axis of the agent radar are what its recorded episodes give."""
    made = [
        label
        for label in labels(
            evidence.rates,
            evidence.reported["agent-radar"],
            printed_parts(evidence.reported),
        )
        if label.axis == axis and label.mark == COUNTED and label.rate
    ]
    if not made:
        recorded = [axis.name for axis in AXES if axis.run]
        raise UserError(f"no recorded axis '{axis}'{nearest(axis, recorded)}")
    shown, sure = [], []
    for label in made:
        low, high = label.rate.interval
        shown.append(f"{label.model}: {label.note}")
        sure.append(f"{label.rate.percent:.2f} ({low:.1f} to {high:.1f})")
    verdict = Verdict.DIFFERS if any(label.differs for label in made) else Verdict.REPRODUCED
    return Finding(verdict, "; ".join(shown), f"{' and '.join(sure)}, episodes as draws", _SOURCE)


@rule
def episodes_lead(evidence: Evidence, model: str, others: list, runs: list) -> Finding:
    """``model`` solves more of the recorded problems than the best of ``others``; ``runs`` are pairs
    of feedback and category, whose problems are pooled."""
    best = _best(evidence, model, others, runs)
    mine, theirs = evidence.shared(model, best, runs)
    apart, sure = _paired(mine, theirs)
    return Finding(
        verdict_of(apart, Verdict.REPRODUCED),
        f"{model} solves {sum(mine)} of {len(mine)}, {best} {sum(theirs)}",
        sure, _SOURCE, apart.value, apart.low, apart.high,
    )  # fmt: skip


@rule
def narrows_gap(
    evidence: Evidence, model: str, others: list, proprietary: str, runs: list
) -> Finding:
    """The gap between ``proprietary`` and ``model`` is smaller than that between it and the best of
    ``others``: as much as ``model`` has more than the best of them."""
    best = _best(evidence, model, others, runs)
    mine, theirs = evidence.shared(model, best, runs)
    top = evidence.shared(proprietary, best, runs)[0]
    before, after = sum(top) - sum(theirs), sum(top) - sum(mine)
    apart, sure = _paired(mine, theirs)
    if before <= 0:
        shown = f"{best} solves {sum(theirs)}, {proprietary} {sum(top)}: there is no gap"
        return Finding(Verdict.DIFFERS, shown, sure, _SOURCE, apart.value, apart.low, apart.high)
    closed = f"{100 * (before - after) / before:.0f}% of it closed"
    return Finding(
        verdict_of(apart, Verdict.REPRODUCED),
        f"{proprietary} solves {sum(top)} of {len(top)}; {best} {before} fewer, {model} {after} "
        f"fewer: {closed}",
        f"gap narrower by {sure}", _SOURCE, apart.value, apart.low, apart.high,
    )  # fmt: skip
