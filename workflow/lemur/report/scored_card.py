"""A trained model's card with what the model scored.

Training writes the card before anything is scored, into a folder whose every file DONE.json pins; so
the card to publish stands apart and is made of both.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.evaluate import caveats
from lemur.files import write_text

Score = Mapping[str, Any]


def write(spec: Mapping[str, str], folder: Path, scores: Sequence[Score], out: Path) -> None:
    """Write the card of ``spec`` (recipe, model) at ``out``.

    ``folder``: the model folder with its README.md; ``scores``: the contents of scores.json files.
    """
    path = folder / "README.md"
    try:
        card = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file: the model has no card to add scores to") from None
    for score in scores:
        if score["model"] != spec["model"]:
            raise UserError(
                f"{out}: the scores of {score['benchmark']} are those of '{score['model']}', "
                f"not of '{spec['model']}'"
            )
    try:
        write_text(out, with_scores(card, f"{spec['recipe']}-{spec['model']}", scores))
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None


def with_scores(card: str, name: str, scores: Sequence[Score]) -> str:
    """``card`` with a table of scores before its licence, and the hub's ``model-index`` in front.

    ``model-index`` holds what was judged alone. Raises ValueError for text that is no model card.
    """
    scores = sorted(scores, key=lambda score: score["benchmark"])
    opening, front, body = _parts(card)
    before, licence, after = body.partition("\n## Licence\n")
    table = "\n".join(["## Scores", "", *_table(scores), ""])
    return f"{opening}{front}{_index(name, scores)}---\n{before}\n{table}{licence}{after}"


def _parts(card: str) -> tuple[str, str, str]:
    """The first fence, the metadata, and the text after the second."""
    front, fence, body = card.removeprefix("---\n").partition("\n---\n")
    if not card.startswith("---\n") or not fence or "\nmodel-index:" in f"\n{front}":
        raise ValueError("not a model card as training writes it")
    return "---\n", f"{front}\n", body


def _judged(scores: Sequence[Score]) -> list[Score]:
    return [score for score in scores if score["judged"] and score["value"] is not None]


def _index(name: str, scores: Sequence[Score]) -> str:
    """https://huggingface.co/docs/hub/model-cards: YAML, of which JSON is a part."""
    lines = []
    for score in _judged(scores):
        entry = {
            "task": {"type": "text-generation"},
            "dataset": {"type": score["benchmark"], "name": score["benchmark"]},
            "metrics": [{"type": score["metric"], "value": score["value"]}],
        }
        lines.append(f"  - {json.dumps(entry, ensure_ascii=False)}\n")
    if not lines:
        return ""
    return f"model-index:\n- name: {json.dumps(name)}\n  results:\n{''.join(lines)}"


def _table(scores: Sequence[Score]) -> list[str]:
    if not scores:
        return ["None: the recipe scores this model on no benchmark."]
    rows = [
        "| benchmark | metric | value | 95% interval | problems | prompt |",
        "|---|---|---|---|---|---|",
    ]
    for score in scores:
        value, interval = _number(score["value"]), ""
        if not score["judged"]:
            value = f"not judged: {score.get('reason') or 'no reason given'}"
        if score["interval"]:
            interval = " to ".join(_number(end) for end in score["interval"])
        of = f"{score['n']:,} of {score['of']:,}"
        shots = score.get("shots", 0)
        prompt = f"{score.get('format', 'completion')}, {shots} shot{'' if shots == 1 else 's'}"
        cells = (score["benchmark"], score["metric"], value, interval, of, prompt)
        rows.append(f"| {' | '.join(map(_cell, cells))} |")
    worse = sorted({one["metric"] for one in scores if not one.get("higher_is_better", True)})
    note = f" Lower is better for {', '.join(worse)}." if worse else ""
    told = [
        f"- {_cell(score['benchmark'])}: {_cell('; '.join(known))}."
        for score in scores
        if (known := caveats.all_caveats(score))
    ]
    return [*rows, "", f"Shares are from 0 to 1.{note}", *(["", *told] if told else [])]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _cell(text: str) -> str:
    """One line of plain text: a reason may quote what a program wrote."""
    text = " ".join(text.split())
    for found, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        text = text.replace(found, written)
    return text
