"""Give every claim its verdict, and keep the verdicts as a file that the report reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.claims.claim import Claim, Comparison, Finding, Judged, Own, Verdict
from lemur.claims.evidence import Evidence
from lemur.claims.rules import RULES
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.evaluation.score import Score
from lemur.figures.paired import difference

# recipe: stage to device-hours, and under ``device`` and ``token_hours`` what they are of.
Hours = Mapping[str, Mapping[str, Any]]


def judge(claims: Sequence[Claim], evidence: Evidence, hours: Hours) -> list[Judged]:
    """The claims in their order; a ``UserError`` of a rule also names its claim."""
    return [_judged(claim, evidence, hours) for claim in claims]


def _judged(claim: Claim, evidence: Evidence, hours: Hours) -> Judged:
    try:
        finding = RULES[claim.rule](evidence, **claim.arguments)
    except UserError as error:
        raise UserError(f"claim {claim.name}: {error}") from None
    found = [own for comparison in claim.ours if (own := compared(comparison, evidence.scores))]
    if evidence.run and evidence.run.papers_size:
        finding = decided(finding, found)
    return Judged(
        name=claim.name,
        place=claim.place,
        quote=claim.quote,
        compares=claim.compares,
        rule=claim.rule,
        finding=finding,
        takes="" if finding.verdict is Verdict.REPRODUCED else takes(claim, hours),
        ours=tuple(found),
    )


def decided(finding: Finding, ours: Sequence[Own]) -> Finding:
    """What a run of the paper's size makes of a finding: reproduced where all its comparisons are
    better, differing where one is worse, and else what it was."""
    worse = any(own.worse for own in ours)
    if not worse and not (ours and all(own.better for own in ours)):
        return finding
    verdict = Verdict.DIFFERS if worse else Verdict.REPRODUCED
    findings = "; ".join(own.text for own in ours)
    return Finding(
        verdict, f"trained again at the paper's size: {findings}", finding.found, "results/"
    )


def takes(claim: Claim, hours: Hours) -> str:
    """What a stronger verdict needs, with the hours of the plan."""
    needs = claim.needs
    if needs is None:
        return ""
    if needs.recipe is None:
        return needs.what
    if needs.recipe not in hours:
        raise UserError(f"claim {claim.name}: no plan of recipe '{needs.recipe}'")
    plan = hours[needs.recipe]
    total = sum(plan[stage] for stage in needs.stages) + needs.tokens * plan["token_hours"]
    shown = f"{total:,.0f}" if total >= 10 else f"{total:.2g}"
    return f"{needs.what}: {shown} GPU-hours ({plan['device']}) by the plan of {needs.recipe}"


def compared(comparison: Comparison, scores: Sequence[Score]) -> Own | None:
    """A difference between two models of the run; None where one of them was not scored."""
    at = {(score.benchmark, score.model): score for score in scores}
    mine, other = (
        at.get((comparison.benchmark, comparison.model)),
        at.get((comparison.benchmark, comparison.against)),
    )
    apart = difference(mine, other) if mine else None
    if mine is None or apart is None:
        return None
    bits = mine.is_bits
    unit, words = ("bits per byte", apart.words(1, 3)) if bits else ("points", apart.words())
    # Fewer bits are better; of shares more are.
    low, high = (-apart.high, -apart.low) if bits else (apart.low, apart.high)
    name = comparison.benchmark.replace("_", " ")
    text = f"{name}, {comparison.model} against {comparison.against}: {words} {unit}, n = {apart.n}"
    return Own(text, better=low > 0, worse=high < 0)


def counted(judged: Sequence[Judged]) -> dict[Verdict, int]:
    """How many claims have each verdict, the strongest first; verdicts of none as 0."""
    counts = Counter(claim.finding.verdict for claim in judged)
    return {verdict: counts[verdict] for verdict in Verdict}


def write(judged: Sequence[Judged], path: Path) -> None:
    """Keep the verdicts as JSON."""
    contracts.write_file(path, judged)


def read(path: Path) -> list[Judged]:
    """What :func:`write` wrote; ``UserError`` for another file."""
    return list(contracts.read_file(tuple[Judged, ...], path))
