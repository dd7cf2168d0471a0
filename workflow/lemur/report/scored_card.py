"""A trained model's card with what the model scored, and the same for the hub's leaderboards.

Training writes the card before anything is scored, into a folder whose every file DONE.json pins; so
the card to publish stands apart and is made of both. Metadata are read and written by the hub's own
library.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import EvalResult, EvalResultEntry, ModelCard, eval_result_entries_to_yaml

from lemur.core.errors import UserError, first_line
from lemur.core.files import write_text
from lemur.evaluation import caveats
from lemur.evaluation.score import Score

# What the hub calls each benchmark's data set: ``hub`` of config/benchmarks.yaml, by benchmark.
Datasets = Mapping[str, Mapping[str, str]]
TASK = "text-generation"


def write(
    spec: Mapping[str, Any], folder: Path, scores: Sequence[Score], out: Path, results: Path
) -> None:
    """Write the card of ``spec`` (recipe, model, datasets) at ``out``, and ``results``, a file of
    ``.eval_results`` (https://huggingface.co/docs/hub/eval-results).

    ``folder``: the model folder with its README.md; ``scores``: those of the model.
    """
    path = folder / "README.md"
    try:
        card = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: the model has no card to add scores to") from None
    for score in scores:
        if score.model != spec["model"]:
            raise UserError(
                f"{out}: the scores of {score.benchmark} are those of '{score.model}', "
                f"not of '{spec['model']}'"
            )
    try:
        made = with_scores(card, f"{spec['recipe']}-{spec['model']}", scores, spec["datasets"])
    except (ValueError, yaml.YAMLError) as error:
        raise UserError(f"{path}: {first_line(error)}") from None
    entries = eval_result_entries_to_yaml(leaderboard_entries(scores, spec["datasets"]))
    write_text(results, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
    write_text(out, made)


def with_scores(card: str, name: str, scores: Sequence[Score], datasets: Datasets) -> str:
    """``card`` with a table of scores before its licence, and the hub's ``model-index`` in front.

    ``model-index`` holds what was judged alone, of benchmarks whose data the hub has. Raises ValueError
    for text that is no model card.
    """
    scores = sorted(scores, key=lambda score: score.benchmark)
    if not re.match(r"---\n.*?\n---\n", card, re.DOTALL):
        raise ValueError("not a model card as training writes it")
    made = ModelCard(card)
    if made.data.eval_results:
        raise ValueError("not a model card as training writes it")
    if results := _index(scores, datasets):
        made.data.model_name, made.data.eval_results = name, results
    before, licence, after = made.text.partition("\n## Licence\n")
    table = "\n".join(["## Scores", "", *_table(scores), ""])
    made.text = f"{before}\n{table}{licence}{after}"
    return str(made)


def _judged(scores: Sequence[Score], datasets: Datasets) -> list[Score]:
    return [
        score
        for score in scores
        if score.judged and score.value is not None and score.benchmark in datasets
    ]


def _index(scores: Sequence[Score], datasets: Datasets) -> list[EvalResult]:
    return [
        EvalResult(
            task_type=TASK,
            dataset_type=datasets[score.benchmark]["dataset"],
            dataset_name=score.benchmark,
            dataset_config=datasets[score.benchmark].get("config"),
            dataset_split=datasets[score.benchmark].get("split"),
            metric_type=score.metric.replace(" ", "_"),
            metric_value=score.value,
            metric_name=f"{score.metric} ({score.asked})",
        )
        for score in _judged(scores, datasets)
    ]


def leaderboard_entries(scores: Sequence[Score], datasets: Datasets) -> list[EvalResultEntry]:
    """The same for the hub's boards, which take a file a model beside its weights."""
    return [
        EvalResultEntry(
            dataset_id=datasets[score.benchmark]["dataset"],
            task_id=datasets[score.benchmark].get("task", "default"),
            value=score.value,
            notes=f"{score.benchmark}: {score.metric}, {score.asked}",
        )
        for score in _judged(sorted(scores, key=lambda score: score.benchmark), datasets)
    ]


def _table(scores: Sequence[Score]) -> list[str]:
    if not scores:
        return ["None: the recipe scores this model on no benchmark."]
    rows = [
        "| benchmark | metric | value | 95% interval | problems | prompt |",
        "|---|---|---|---|---|---|",
    ]
    for score in scores:
        value, interval = _number(score.value), ""
        if not score.judged:
            value = f"not judged: {score.reason or 'no reason given'}"
        if score.interval:
            interval = " to ".join(_number(end) for end in score.interval)
        share = f"{score.n:,} of {score.of:,}"
        shots = score.shots
        prompt = f"{score.format}, {shots} shot{'' if shots == 1 else 's'}"
        cells = (score.benchmark, score.metric, value, interval, share, prompt)
        rows.append(f"| {' | '.join(map(_cell, cells))} |")
    worse = sorted({entry.metric for entry in scores if not entry.higher_is_better})
    note = f" Lower is better for {', '.join(worse)}." if worse else ""
    remarks = [
        f"- {_cell(score.benchmark)}: {_cell('; '.join(known))}."
        for score in scores
        if (known := caveats.all_caveats(score))
    ]
    return [*rows, "", f"Shares are from 0 to 1.{note}", *(["", *remarks] if remarks else [])]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _cell(text: str) -> str:
    """One line of plain text: a reason may quote what a program wrote."""
    text = " ".join(text.split())
    for found, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(found, written)
    return text
