"""Put the page together. Everything that varies goes through Jinja's escaping."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from lemur.core.contracts import read_file
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.provenance import ROOT
from lemur.evaluation import caveats
from lemur.evaluation.score import Score, read_scores
from lemur.figures.compared import column_of
from lemur.figures.dots import NAMES
from lemur.figures.inputs import metrics
from lemur.figures.paired import against, otherwise
from lemur.mixture.planned import Plan
from lemur.mixture.realised import Realised
from lemur.report import (
    beside,
    cards,
    claims,
    corpus,
    datasheet,
    differences,
    graph,
    numbers,
    samples,
    signal,
    summary,
    training,
    worse,
)
from lemur.report import run as ran
from lemur.report.templates import policy, template
from lemur.trace import chain, costs
from lemur.trace.chain import Job
from lemur.training.step_metrics import StepMetrics

REPORTS = ROOT / "reports"
_SPEC = ("title", "recipe", "labels", "sections", "paper")


@dataclass(frozen=True)
class Inputs:
    """Files that the report is made of. ``metrics`` lie in folders ``pretrain`` and ``sft``.

    ``recipes``: resolved recipes of other runs. ``cards``: README.md of models, each in a folder
    called after its model.
    """

    figures: Sequence[Path]
    scores: Sequence[Path]
    metrics: Sequence[Path]
    plan: Path | None = None
    realised: Path | None = None
    statistics: Sequence[Path] = field(default_factory=tuple)
    datasheet: Path | None = None
    recipes: Sequence[Path] = field(default_factory=tuple)
    cards: Sequence[Path] = field(default_factory=tuple)

    def results(self) -> list[Path]:
        """Those that jobs made."""
        named = [self.plan, self.realised, self.datasheet]
        listed = [*self.figures, *self.scores, *self.metrics, *self.statistics, *self.cards]
        return [*listed, *(path for path in named if path)]


@dataclass(frozen=True)
class Section:
    """Figures and tables below one heading."""

    heading: str
    cards: Sequence[cards.Card]


def _otherwise(score: Score, scores: Sequence[Score]) -> str:
    """The same answers by other rules, and the same problems asked otherwise, of the same model."""
    column = column_of(score.benchmark)
    if column is None:
        return ""
    asked = [x for x in scores if x.model == score.model]
    alike = [x for x in asked if column_of(x.benchmark) == column]
    remark = otherwise(score, alike)
    return f"judged otherwise: {remark}" if remark else ""


def score_rows(scores: Sequence[Score], labels: Mapping[str, str]) -> list[dict[str, str]]:
    """One row a score, as text, with its difference to the start on the same problems."""
    rows = []
    starts = {score.benchmark: score for score in scores if score.model == "start"}
    for score in scores:
        bits = score.is_bits
        scale, digits = (1, 3) if bits else (100, 1)
        unit = "" if bits else "%"
        value = "not judged"
        if score.value is not None:
            value = f"{score.value * scale:.{digits}f}{unit}"
        span = ""
        if score.interval:
            low, high = (edge * scale for edge in score.interval)
            span = f"{low:.{digits}f} to {high:.{digits}f}"
        name, start = score.benchmark, starts.get(score.benchmark)
        notes = [score.reason or "", *caveats.all_caveats(score), _otherwise(score, scores)]
        notes.append(caveats.computed(score))
        rows.append(
            {
                "benchmark": NAMES.get(
                    name, name.replace("_", " ").replace("bits per", "Bits per")
                ),
                "model": labels.get(score.model, score.model),
                "metric": score.metric,
                "value": value,
                "interval": span,
                "method": score.interval_method or "",
                "n": f"{score.n} of {score.of}",
                "shots": str(score.shots),
                "format": score.format,
                "against": "" if start is score else against(score, start) or "",
                "note": "; ".join(note for note in notes if note),
            }
        )
    return rows


def _sections(spec: Mapping[str, Any], made: Sequence[cards.Card]) -> list[Section]:
    left = {card.name: card for card in made}
    if len(left) != len(made):
        raise UserError("--figures: two figures of one name")
    sections = []
    for section in spec["sections"]:
        own = [left.pop(name) for name in section["figures"] if name in left]
        sections.append(Section(section["heading"], own))
    if left:
        raise UserError(
            f"--figures: '{sorted(left)[0]}' is in no section of config/figures.yaml (report.sections)"
        )
    return [section for section in sections if section.cards]


def _stages(paths: Sequence[Path]) -> dict[str, list[StepMetrics]]:
    found = {}
    for path in paths:
        stage = path.resolve().parent.name
        if stage not in ("pretrain", "sft"):
            raise UserError(f"--metrics {path}: must lie in a folder 'pretrain' or 'sft'")
        found[stage] = metrics(path)
    if "pretrain" not in found:
        raise UserError("--metrics: none of them is pretrain/metrics.jsonl")
    return found


def summarised(spec: Mapping[str, Any], inputs: Inputs) -> summary.Summary:
    """What the page says first: the sentence on what was trained, and its numbers."""
    recipe, stages = spec["recipe"], _stages(inputs.metrics)
    tokens = stages["pretrain"][-1].tokens
    tuned = stages["sft"][-1].tokens if "sft" in stages else None
    base = recipe["base"]["name"] if isinstance(recipe["base"], Mapping) else recipe["base"]
    return summary.Summary(
        recipe=recipe["name"],
        description=recipe.get("description", ""),
        opening=numbers.opening(recipe["name"], tokens, tuned, spec["paper"], base),
        numbers=numbers.numbers(tokens, read_scores(inputs.scores), spec["labels"]),
    )


def _links(inputs: Inputs, out: Path) -> list[tuple[str, str]]:
    """(word, address from the page) of what stands beside it: cards of models and the datasheet."""
    sheet = inputs.datasheet.with_suffix(".md") if inputs.datasheet else None
    named = [(f"card of {path.parent.name}", path) for path in inputs.cards]
    named += [("datasheet of the corpus", sheet)] if sheet and sheet.is_file() else []
    folder = out.resolve().parent
    return [(word, quote(os.path.relpath(path.resolve(), folder))) for word, path in named]


def _cost(figure: Path, jobs: Sequence[Job], rates: costs.Rates) -> str:
    """What a figure took, back to the downloads; empty where no job recorded it."""
    found = costs.behind(jobs, chain.shown(str(figure)))
    return costs.total(found, rates).words() if found else ""


def render(spec: Mapping[str, Any], inputs: Inputs, out: Path, reports: Path = REPORTS) -> str:
    """The page as text: a pure function of the spec, the inputs, what their ``.prov.json`` files say
    (times and hardware in the section on the run alone), and ``reports/``.
    """
    for key in _SPEC:
        if not isinstance(spec, Mapping) or key not in spec:
            raise UserError(f"--spec: no '{key}' (needs {', '.join(_SPEC)})")
    labels, recipe = spec["labels"], spec["recipe"]
    scores = read_scores(inputs.scores)
    stages = _stages(inputs.metrics)
    first = summarised(spec, inputs)
    jobs = ran.jobs_behind(inputs.results())
    rates = costs.Rates.parse(spec.get("site", {}))
    made = [
        replace(cards.card(path, reports / "captions", out), cost=_cost(path, jobs, rates))
        for path in inputs.figures
    ]
    folder = reports / "template"
    style = (folder / "report.css").read_text(encoding="utf-8")
    script = (folder / "report.js").read_text(encoding="utf-8")
    plan = read_file(Plan, inputs.plan) if inputs.plan else None
    realised = read_file(Realised, inputs.realised) if inputs.realised else None
    others, more_others = differences.others(recipe, inputs.recipes)
    compared = [path for path in inputs.figures if path.stem == "foundation"]
    shown = beside.table(compared[0].with_suffix(".csv")) if compared else None
    judged = [path for path in inputs.figures if path.stem == "claims"]
    named = [card.name for card in made]
    verdicts = claims.section(judged[0].with_suffix(".json"), named) if judged else None
    apart = [name for name, there in (("foundation", shown), ("claims", verdicts)) if there]
    return template(folder, "report.html.j2").render(
        title=spec["title"],
        recipe=recipe,
        recipe_json=json.dumps(recipe, indent=1, sort_keys=True, ensure_ascii=False),
        policy=policy(style, script),
        style=Markup(style),  # noqa: S704 (a committed file)
        script=Markup(script),  # noqa: S704 (a committed file)
        opening=first.opening,
        numbers=first.numbers,
        span=ran.span(jobs),
        links=_links(inputs, out),
        beside=shown,
        whole=next((card for card in made if shown and card.name == "foundation"), None),
        claims=verdicts,
        judged_table=next((card for card in made if card.name == "claims"), None),
        worse=worse.sentences(scores),
        signal=signal.sentences(scores),
        samples=samples.side_by_side(scores, labels),
        labels=labels,
        sections=_sections(spec, [card for card in made if card.name not in apart]),
        scores=score_rows(scores, labels),
        rules=ran.by_rule(jobs),
        jobs=ran.listed(jobs, out),
        all_jobs=len(jobs),
        graph=graph.draw(jobs),
        versions=ran.versions(jobs),
        others=others,
        more_others=more_others,
        training=training.rows(stages),
        sources=corpus.table(inputs.statistics, plan, realised),
        datasheet=datasheet.blocks(inputs.datasheet) if inputs.datasheet else None,
        plan=plan,
        realised=realised,
    )


def write(spec: Mapping[str, Any], inputs: Inputs, out: Path) -> None:
    """Write ``report.html`` and, beside it, what it says first as data."""
    write_text(out, render(spec, inputs, out))
    summary.write(summarised(spec, inputs), out)
