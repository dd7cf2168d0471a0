"""From the scores of all cells to analysis.json, cells.csv, table.md and verdict.txt."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.study import law as laws
from lemur.study import verdict
from lemur.study.analysis_spec import AnalysisSpec, BaseSpec
from lemur.study.cells_csv import cells_csv, epochs
from lemur.study.findings import (
    Analysis,
    BaseFindings,
    Best,
    Contrast,
    Control,
    FittedLaw,
    MeasureFindings,
    Outcome,
    OverSizes,
    OverTokens,
    SizesFit,
)
from lemur.study.finished import reduced
from lemur.study.results import Results
from lemur.study.statistics import Bits, Estimate, estimate, resampled
from lemur.study.table import table
from lemur.study.tokens import MAIN

How = tuple[float, int, int]  # confidence, resamples, seed
# By base and measure: bits of the main cells, their differences to the base, the best share.
Kept = Mapping[tuple[str, str], tuple[Bits, Estimate, Best]]


def _contrast(found: Estimate) -> Contrast:
    return Contrast(**{field.name: _floats(getattr(found, field.name)) for field in fields(Contrast)})  # fmt: skip


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _rows(values: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(_floats(row) for row in values)


def run(
    given: Mapping[str, Any],
    scores: Sequence[Path],
    realised: Sequence[Path],
    out: Path,
    *,
    so_far: bool = False,
) -> None:
    """Write ``out`` (analysis.json) and the three files beside it. ``given`` is an AnalysisSpec as JSON.
    ``so_far``: of a study that still runs, from the cells that are finished; cells.csv and verdict.txt
    alone where no seed is."""
    spec = contracts.read(AnalysisSpec, given, "--spec")
    planned = len(spec.cells)
    if so_far:
        spec = reduced(spec, scores)
        if not spec.cells:
            raise UserError(f"study {spec.study}: none of its {planned} cells is finished")
    results = Results(spec, scores)
    write_text(out.parent / "cells.csv", cells_csv(spec, results, epochs(realised)))
    partly = [f"{len(spec.cells)} of {planned} cells are finished."] if so_far else []
    if not spec.bases:
        lines = [*partly, "No base has a seed of which all cells are: nothing is compared yet."]
        write_text(out.parent / "verdict.txt", "\n".join(lines) + "\n")
        return
    found = analysed(spec, results)
    contracts.write_file(out, found)
    write_text(out.parent / "table.md", table(spec, found))
    lines = [*partly, found.verdict, ""]
    lines += [f"{hypothesis.name} ({hypothesis.claim}): {hypothesis.outcome}: {hypothesis.why}." for hypothesis in found.hypotheses]  # fmt: skip
    lines += ["", "What this does not show:"]
    lines += [f"- missing: {name}: {why}" for name, why in spec.missing.items()]
    lines += [f"- cut for the hours given: {words}" for words in spec.cut]
    lines += [f"- {words}" for words in spec.limits]
    write_text(out.parent / "verdict.txt", "\n".join(lines) + "\n")


def analysed(spec: AnalysisSpec, results: Results) -> Analysis:
    """Everything that the figure, the table and the verdict are made of."""
    settings = spec.statistics
    how = (settings.confidence, settings.resamples, settings.seed)
    number = spec.shares.index(spec.reference)
    bases: dict[str, BaseFindings] = {}
    kept: dict[tuple[str, str], tuple[Bits, Estimate, Best]] = {}
    for base in spec.bases:
        measures = {}
        for measure in spec.order:
            bits = results.bits(base.name, measure, MAIN, spec.shares)
            start = results.start(base.name, measure)
            against = estimate(bits.less(bits.bits[:, number]), *how)
            forgotten = estimate(bits.less(start), *how)
            fitted = _law(bits, spec.shares, base.millions, how)
            kept[base.name, measure] = (bits, forgotten, fitted.best)
            measures[measure] = MeasureFindings(
                values=_floats(bits.values.mean(0)),
                of_seeds=_rows(bits.values),
                base=float((start.sum(1) / bits.sizes.sum()).mean()),
                documents=len(bits.sizes),
                bytes=int(bits.sizes.sum()),
                against_reference=_contrast(against),
                against_base=_contrast(forgotten),
                law=fitted,
                controls=_controls(spec, results, base.name, measure, how),
                over_tokens=_over_tokens(spec, results, base.name, measure),
            )
        bases[base.name] = BaseFindings(base.millions, len(base.seeds), measures)
    outcomes, decides = _outcomes(spec, kept, how), _decides(spec)
    best = kept[decides.name, spec.primary][2]
    count = len(spec.missing)
    lack = f"{count} measure{' or control is' if count == 1 else 's or controls are'} missing"
    return Analysis(
        study=spec.study,
        description=spec.description,
        shares=spec.shares,
        reference=spec.reference,
        primary=spec.primary,
        equal=settings.equal,
        seeds=len(decides.seeds),
        sizes=tuple(bases),
        measures=spec.order,
        bases=bases,
        over_sizes=_over_sizes(spec, kept),
        published=spec.published,
        hypotheses=outcomes,
        verdict=verdict.sentence(
            spec.study, decides.name, spec.primary, best, outcomes, lack if count else None
        ),
    )


def _law(bits: Bits, shares: Sequence[float], millions: float, how: How) -> FittedLaw:
    points, values = laws.points_of(shares, millions), bits.values.mean(0)
    choice = laws.choose(points, values[None])
    law = laws.LAWS[choice.law[0]]
    along = laws.points_of(laws.between(points), millions)
    return FittedLaw(
        name=law.name,
        source=law.source,
        left_out_error={name: float(error[0]) for name, error in choice.errors.items()},
        left_out=_floats(choice.predicted[0]),
        line=_floats(laws.fit(law, points, values[None]).predict(along)[0]),
        best=laws.best_share(points, values, resampled(bits, how[1], how[2]), how[0]),
    )


def _over_sizes(spec: AnalysisSpec, kept: Kept) -> OverSizes | None:
    """Error of the law over sizes on a size that it was fitted without; None below three sizes."""
    if len(spec.bases) < 3:
        return None
    found = {}
    for measure in spec.order:
        points = np.concatenate([laws.points_of(spec.shares, b.millions) for b in spec.bases])
        values = np.concatenate([kept[b.name, measure][0].values.mean(0) for b in spec.bases])
        predicted = laws.left_out(laws.OVER_SIZES, points, values[None], points[:, 1])[0]
        error = float(np.abs(predicted - values).mean())
        found[measure] = SizesFit(_floats(values), _floats(predicted), error)
    return OverSizes(laws.OVER_SIZES.name, laws.OVER_SIZES.source, found)


def _controls(
    spec: AnalysisSpec, results: Results, base: str, measure: str, how: How
) -> tuple[Control, ...]:
    """Each control against the main cell of the same share."""
    rows = []
    for arm in spec.arms:
        bits = results.bits(base, measure, arm.name, arm.shares)
        if any(share not in spec.shares for share in arm.shares):
            continue  # compared with the line of the figure alone
        found = estimate(bits.less(results.bits(base, measure, MAIN, arm.shares).bits), *how)
        rows.append(Control(arm.name, arm.shares, _contrast(found)))
    return tuple(rows)


def _outcomes(spec: AnalysisSpec, kept: Kept, how: How) -> tuple[Outcome, ...]:
    decides = _decides(spec)
    short = verdict.enough(len(decides.seeds), spec.statistics.seeds)
    fewest = min(len(base.seeds) for base in spec.bases)
    found = []
    for claim in spec.hypotheses:
        _, forgotten, best = kept[decides.name, claim.measure]
        if claim.test == "best-share-below":
            outcome = verdict.best_share_below(best, claim.share, short)
        elif claim.test == "worse-than-base":
            number = spec.shares.index(claim.share)
            outcome = verdict.worse_than_base(forgotten, number, claim.by, short)
        else:
            apart = {b.name: _pairs(kept[b.name, claim.measure][0], how) for b in spec.bases}
            outcome = verdict.same_ranking(
                apart, spec.statistics.equal, verdict.enough(fewest, spec.statistics.seeds)
            )
        found.append(Outcome(claim.name, claim.claim, *outcome))
    return tuple(found)


def _decides(spec: AnalysisSpec) -> BaseSpec:
    """The base that hypotheses are decided at: the largest that has as many seeds as the design asks
    for; the largest where none has."""
    enough = [base for base in spec.bases if len(base.seeds) >= spec.statistics.seeds]
    return (enough or spec.bases)[-1]


def _over_tokens(spec: AnalysisSpec, results: Results, base: str, measure: str) -> OverTokens | None:  # fmt: skip
    """The law over tokens and share, and how it errs on a number of tokens that it was fitted
    without; None where cells were scored at their end alone."""
    if measure not in spec.checkpoint_measures:
        return None
    tokens, values = results.early(base, measure, spec.shares)
    points = np.concatenate([laws.points_of(spec.shares, count / 1e6) for count in tokens])
    found = OverTokens(tuple(tokens), _rows(values))
    if len(tokens) < 3:
        return found
    law = laws.OVER_TOKENS
    predicted = laws.left_out(law, points, values.reshape(1, -1), points[:, 1])[0]
    error = float(np.abs(predicted - values.ravel()).mean())
    return replace(found, name=law.name, source=law.source, left_out_error=error)


def _pairs(bits: Bits, how: How) -> dict[tuple[int, int], tuple[float, float]]:
    """The simultaneous band of the difference of every pair of shares."""
    pairs = list(combinations(range(bits.bits.shape[1]), 2))
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    found = estimate(Bits(bits.bits[:, first] - bits.bits[:, second], bits.sizes), *how)
    bands = zip(found.band_low.tolist(), found.band_high.tolist(), strict=True)
    return dict(zip(pairs, bands, strict=True))
