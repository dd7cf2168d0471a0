"""The claims with their verdicts as a table, and the files that it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.agents import outcomes
from lemur.claims import judge, load
from lemur.claims.claim import Judged, Verdict
from lemur.claims.evidence import Evidence, Run
from lemur.evaluation.score import read_scores
from lemur.figures import reported, tables

MEANING = (
    "Reproduced: counted here from recorded episodes, or measured with the paper's own weights, and "
    "it comes out as claimed. Consistent: the paper's printed numbers agree, or the interval does not "
    "decide. Differs: the data contradict it. Intervals are of 95%. Verdicts are given by the rules "
    "of workflow/lemur/claims/rules/ from the data named, at every build."
)


@dataclass(frozen=True)
class Files:
    """``claims``: reports/paper/claims.yaml; ``reported`` and ``outcomes`` beside it; ``scores``:
    scores.json files of a run, none for the paper's own figures."""

    claims: Path
    reported: Path
    outcomes: Path
    scores: Sequence[Path] = ()


def evidence(spec: Mapping[str, Any], files: Files, claims: load.Claims) -> Evidence:
    """What the rules look at. ``spec``: ``pins`` (models.yaml entry to revision) and, of a run,
    ``run`` (base, tokens, code_to_text, own)."""
    run = spec.get("run")
    return Evidence(
        reported=reported.read(files.reported),
        outcomes=outcomes.read(files.outcomes),
        problems=claims.problems,
        domains=claims.domains,
        pins=spec.get("pins", {}),
        scores=read_scores(files.scores),
        run=Run(**run) if run else None,
    )


def judged(spec: Mapping[str, Any], files: Files) -> list[Judged]:
    """Every claim with its verdict; ``spec`` also has ``hours``, as ``lemur.cost.hours`` gives them."""
    claims = load.read(files.claims)
    return judge.judge(claims.claims, evidence(spec, files, claims), spec["hours"])


def table(found: Sequence[Judged], recipe: str | None) -> tables.Table:
    """One row a claim, under the part of the paper that its words stand in; with a column of what a
    run of ``recipe`` shows where there is one."""
    groups: dict[str, list[list[Any]]] = {}
    for judged in found:
        part, _, rest = judged.place.partition(", ")
        ours = ["; ".join(own.text for own in judged.ours) or None] if recipe else []
        row = [
            judged.finding.verdict.value, judged.quote, rest or None, judged.compares, judged.finding.found,
            judged.finding.sure, *ours, judged.takes or None, judged.finding.source,
        ]  # fmt: skip
        groups.setdefault(part, []).append(row)
    counts = judge.counted(found)
    tally = ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
    here = [tables.Column(f"At recipe {recipe}'s own size")] if recipe else []
    notes = [MEANING]
    if counts[Verdict.NOT_CHECKABLE]:
        notes.append(
            "Hours are those that the recipe's plan expects of one device, its utilisation assumed."
        )
    return tables.Table(
        caption=f"{len(found)} claims of the paper: {tally}",
        columns=[
            tables.Column("Verdict"),
            tables.Column("The paper says"),
            tables.Column("Where"),
            tables.Column("Compared"),
            tables.Column("We find"),
            tables.Column("How sure"),
            *here,
            tables.Column("What it would take"),
            tables.Column("From"),
        ],
        groups=list(groups.items()),
        notes=notes,
    )


def write(spec: Mapping[str, Any], files: Files, out: Path) -> None:
    """``out`` (.html) in four formats, and the verdicts as .json beside it."""
    found = judged(spec, files)
    tables.write(table(found, spec.get("recipe")), out)
    judge.write(found, out.with_suffix(".json"))
