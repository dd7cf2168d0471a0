"""Reading what other stages wrote: metrics, scores; and writing a figure's data beside it."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_text


def metrics(path: Path) -> list[dict[str, Any]]:
    """Lines of ``metrics.jsonl``, by step, without skipped ones; a damaged line is a ``UserError`` with its number."""
    lines = []
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            value = json.loads(line)
            if value.get("skipped"):  # a step that learned nothing, with no loss to show
                continue
            float(value["loss"]), int(value["step"]), int(value["tokens"])
        except (AttributeError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}, line {number}: not a training step ({error})") from None
        lines.append(value)
    if not lines:
        raise UserError(f"{path}: no training steps")
    return sorted(lines, key=lambda value: value["step"])


_NEEDED = ("benchmark", "model", "metric", "value", "interval", "n", "of", "judged")


def scores(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """``scores.json`` files as dictionaries, in a fixed order: benchmark, then start to chat; each
    with its own place as ``_path``, beside which lie the answers and verdicts."""
    found = []
    for path in paths:
        value = read_json(path)
        for key in _NEEDED:
            if not isinstance(value, dict) or key not in value:
                raise UserError(f"{path}: no '{key}': not a scores.json")
        found.append({**value, "_path": path})
    order = {"start": 0, "pretrained": 1, "chat": 2}
    return sorted(
        found, key=lambda score: (score["benchmark"], order.get(score["model"], 3), score["model"])
    )


def mapping(path: Path, *keys: str) -> dict[str, Any]:
    """A JSON object that has ``keys``."""
    value = read_json(path)
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            raise UserError(f"{path}: no '{key}'")
    return value


def number(value: Any) -> str:
    """A number as data files show it: shortest text that reads back the same to 10 digits."""
    return f"{value:.10g}" if isinstance(value, float) else "" if value is None else str(value)


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Comma-separated text of a table; ``None`` is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([number(value) for value in row] for row in rows)
    return text.getvalue()


def write_csv(out: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The figure's data, as ``<figure>.csv`` beside ``out``."""
    write_text(out.with_suffix(".csv"), csv_text(columns, rows))
