"""Rules on the numbers that the paper prints: the strongest verdict that they can give is CONSISTENT."""

from lemur.agents.axes import AXES, MODELS
from lemur.claims.claim import Finding, Verdict
from lemur.claims.evidence import Estimate, Evidence
from lemur.claims.rules.registry import listed, rule, undecided, verdict_of
from lemur.core.errors import UserError, nearest
from lemur.evaluation import intervals

_SOURCE = "printed scores (reports/paper/reported.csv)"
_DRAWN = "each model's problems taken as independent draws"


@rule
def leads(evidence: Evidence, table: str, model: str, others: list, metrics: list) -> Finding:
    """The mean of ``model``'s printed scores is above that of the best of ``others``."""
    means = {name: evidence.mean(table, name, metrics) for name in others}
    best = max(means, key=lambda name: means[name])
    apart = evidence.apart(table, model, best, metrics)
    number = "mean of " + str(len(metrics)) if len(metrics) > 1 else metrics[0]
    return Finding(
        verdict_of(apart, Verdict.CONSISTENT),
        f"{model} {evidence.mean(table, model, metrics):.1f}, {best} {means[best]:.1f} ({number})",
        f"{apart} points, {_DRAWN}{undecided(apart)}",
        _SOURCE, apart.value, apart.low, apart.high,
    )  # fmt: skip


@rule
def stronger_in_its_weaker_domain(
    evidence: Evidence, table: str, model: str, others: list
) -> Finding:
    """Of text and code, the one at which ``model`` is weaker is above the weaker one of the others."""

    def weaker(name: str) -> tuple[float, str]:
        found = {d: evidence.mean(table, name, list(m)) for d, m in evidence.domains.items()}
        domain = min(found, key=lambda name: found[name])
        return found[domain], domain

    mine, best = weaker(model), max(others, key=lambda name: weaker(name)[0])
    theirs = weaker(best)
    domains = evidence.domains
    apart = evidence.less(table, (model, domains[mine[1]]), (best, domains[theirs[1]]))
    return Finding(
        verdict_of(apart, Verdict.CONSISTENT),
        f"weaker domain of {model}: {mine[1]} {mine[0]:.1f}; of {best}: {theirs[1]} {theirs[0]:.1f}",
        f"{apart} points, {_DRAWN}{undecided(apart)}",
        _SOURCE, apart.value, apart.low, apart.high,
    )  # fmt: skip


@rule
def specialise(evidence: Evidence, table: str, models: list) -> Finding:
    """The best of ``models`` at text is not the best at code."""
    best = {
        domain: max(models, key=lambda name: evidence.mean(table, name, list(metrics)))
        for domain, metrics in evidence.domains.items()
    }
    shown = "; ".join(
        f"best at {domain}: {name} ({evidence.mean(table, name, list(evidence.domains[domain])):.1f})"
        for domain, name in best.items()
    )
    names = list(best.values())
    if len(set(names)) == 1:
        return Finding(Verdict.DIFFERS, shown, "one model is best at both", _SOURCE)
    gaps = {
        domain: evidence.apart(
            table, name, next(x for x in names if x != name), evidence.domains[domain]
        )
        for domain, name in best.items()
    }
    sure = "; ".join(f"at {domain} {apart}{undecided(apart)}" for domain, apart in gaps.items())
    return Finding(Verdict.CONSISTENT, shown, f"{sure} points, {_DRAWN}", _SOURCE)


@rule
def gains_more_than_it_loses(evidence: Evidence, table: str, model: str, start: str) -> Finding:
    """The changes of ``model`` against ``start`` in all domains, each a mean, add up to more than 0."""
    changes = {
        domain: evidence.apart(table, model, start, metrics)
        for domain, metrics in evidence.domains.items()
    }
    edges = [(change.low, change.high) for change in changes.values()]
    values = [change.value for change in changes.values()]
    apart = Estimate(*intervals.linear_combination([1.0] * len(edges), values, edges))
    lost = [domain for domain, change in changes.items() if change.high < 0]
    shown = "; ".join(f"{domain} {change} points" for domain, change in changes.items())
    return Finding(
        verdict_of(apart, Verdict.CONSISTENT),
        f"{model} against {start}: {shown}{f'; {listed(lost)} got worse' if lost else ''}",
        f"together {apart}, {_DRAWN}{undecided(apart)}",
        _SOURCE, apart.value, apart.low, apart.high,
    )  # fmt: skip


@rule
def means_hold(evidence: Evidence, table: str, average: str) -> Finding:
    """Each row's printed average is the mean of its scores, to the last printed digit."""
    numbers = evidence.reported.get(table)
    if numbers is None:
        raise UserError(f"reported numbers: no table '{table}'{nearest(table, evidence.reported)}")
    rows = list(dict.fromkeys(name for name, _ in numbers))
    off = []
    for name in rows:
        scores = [value for (row, metric), value in numbers.items() if row == name and metric != average]  # fmt: skip
        mean, said = sum(scores) / len(scores), evidence.printed(table, name, average)
        # Half a unit of the last digit, and what floating-point numbers lack of it.
        if abs(mean - said) > 0.0501:
            off.append(f"{name}: mean {mean:.2f}, printed {said:.1f}")
    verdict = Verdict.DIFFERS if off else Verdict.CONSISTENT
    found = "; ".join(off) or f"all {len(rows)} printed averages are the means of their rows"
    return Finding(verdict, found, f"{len(rows)} rows, arithmetic alone", _SOURCE)


@rule
def label_is_mean(evidence: Evidence, axis: str) -> Finding:
    """A label of the agent radar is the mean of printed component scores, for each of its models."""
    known = {axis.name: axis for axis in AXES}
    if axis not in known or not known[axis].parts:
        with_parts = [axis.name for axis in AXES if axis.parts]
        raise UserError(f"no axis with printed parts '{axis}'{nearest(axis, with_parts)}")
    parts, shown, off = known[axis].parts, [], False
    for model in MODELS:
        label = evidence.printed("agent-radar", model, axis)
        mean = evidence.mean("digital-environment", model, parts)
        off |= abs(mean - label) > 0.0051
        shown.append(f"{model}: label {label:.2f}, mean of {listed(parts)} {mean:.3f}")
    verdict = Verdict.DIFFERS if off else Verdict.CONSISTENT
    return Finding(verdict, "; ".join(shown), "arithmetic on printed scores; no episodes", _SOURCE)
