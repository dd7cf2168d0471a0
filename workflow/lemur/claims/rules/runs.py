"""Rules on what this folder's run trained or scored, and on what nobody published."""

from lemur.claims.claim import Finding, Verdict
from lemur.claims.evidence import Evidence
from lemur.claims.rules.registry import listed, rule
from lemur.core.errors import UserError, nearest
from lemur.figures.compared import column_of

_RATIO = 0.05  # of the ratio of code to text: how far a run may be from it and still be the paper's


@rule
def measured(evidence: Evidence, model: str) -> Finding:
    """The printed scores of ``model`` lie in the intervals of scores that its own weights get here.

    One score a benchmark of the paper; of several ways to ask it, the paper's own (``*_paper``).
    """
    numbers = {metric: value for (row, metric), value in evidence.reported["foundation"].items() if row == model}  # fmt: skip
    if not numbers:
        rows = {row for row, _ in evidence.reported["foundation"]}
        raise UserError(f"reported numbers: foundation: no '{model}'{nearest(model, rows)}")
    own = {name for name, row in evidence.run.own.items() if row == model} if evidence.run else {}
    found = {}
    for score in sorted(
        evidence.scores, key=lambda candidate: candidate.benchmark.endswith("_paper")
    ):
        column = column_of(score.benchmark)
        if score.model in own and score.value is not None and column in numbers:
            found[column] = score
    if not found:
        shown = f"the weights of {model} were not scored here"
        return Finding(Verdict.NOT_CHECKABLE, shown, "no measurement", "none")
    inside, outside = [], []
    for column, score in found.items():
        low, high = (100 * edge for edge in score.interval)
        text = f"{column} {100 * score.value:.1f} ({low:.1f} to {high:.1f}), printed {numbers[column]:.1f}"  # fmt: skip
        (inside if low <= numbers[column] <= high else outside).append(text)
    verdict = Verdict.DIFFERS if outside else Verdict.REPRODUCED
    return Finding(
        verdict,
        f"{len(inside)} of {len(found)} printed scores lie in the interval measured here",
        "; ".join([*outside, *inside]),
        "answers of the released weights (results/)",
    )


@rule
def trained(evidence: Evidence, base: str, tokens: int, code_to_text: float) -> Finding:
    """This run continued ``base`` on at least ``tokens`` tokens at ``code_to_text``."""
    run = evidence.run
    if run is None:
        shown = "the authors published neither the corpus nor the code that trained on it"
        return Finding(Verdict.NOT_CHECKABLE, shown, "no measurement", "none")
    ratio = f"{run.code_to_text:g}:1"
    done = f"this run: {run.base} on {run.tokens:,} tokens at {ratio}"
    near = abs(run.code_to_text / code_to_text - 1) <= _RATIO
    if run.base == base and run.tokens >= tokens and near:
        return Finding(Verdict.CONSISTENT, done, "one training run", "results/")
    shown = f"{done}; the authors published neither their corpus nor their training code"
    return Finding(Verdict.NOT_CHECKABLE, shown, "no measurement at that size", "none")


@rule
def released(evidence: Evidence, models: list) -> Finding:
    """Each of ``models`` (entries of models.yaml) is at a revision of the hub that somebody saw."""
    for name in models:
        if name not in evidence.pins:
            raise UserError(f"models: no '{name}' on the hub{nearest(name, evidence.pins)}")
    unseen = [name for name in models if evidence.pins[name] == "unresolved"]
    if unseen:
        shown = f"the hub was not asked for {listed(unseen)}"
        return Finding(Verdict.NOT_CHECKABLE, shown, "no revision pinned", "config/models.yaml")
    shown = ", ".join(f"{name} at {evidence.pins[name][:12]}" for name in models)
    return Finding(Verdict.CONSISTENT, shown, "revisions pinned", "config/models.yaml")


@rule
def unrecorded(evidence: Evidence, axis: str) -> Finding:
    """A label whose episodes nobody published: nothing can be counted."""
    shown = ", ".join(
        f"{model} {value:.2f}"
        for (model, name), value in evidence.reported["agent-radar"].items()
        if name == axis
    )
    if not shown:
        names = {name for _, name in evidence.reported["agent-radar"]}
        raise UserError(f"reported numbers: agent-radar: no '{axis}'{nearest(axis, names)}")
    found = f"printed {shown}; neither episodes nor component scores are public"
    return Finding(Verdict.NOT_CHECKABLE, found, "no measurement", "none")
