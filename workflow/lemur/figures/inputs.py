"""Reading what other stages wrote: metrics; and writing a figure's data beside it."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.training.step_metrics import StepMetrics


def metrics(path: Path) -> list[StepMetrics]:
    """Lines of ``metrics.jsonl``, by step, without skipped ones; a damaged line is a ``UserError`` with
    its number."""
    steps = [step for step in contracts.read_lines(StepMetrics, path) if not step.skipped]
    if any(step.loss is None for step in steps):
        raise UserError(f"{path}: a training step without a loss")
    if not steps:
        raise UserError(f"{path}: no training steps")
    return sorted(steps, key=lambda step: step.step)


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
