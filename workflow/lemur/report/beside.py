"""The paper beside ours, for the top of the page: a row a benchmark, two columns a model."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.figures.compared import COLUMNS, column_of

_MARK = ", the paper's "


@dataclass(frozen=True)
class Beside:
    """``models``: (ours, the paper's) by name. ``rows``: a benchmark and, for each model, the
    paper's score, ours and our 95 % interval, as text; empty where there is none."""

    models: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, Sequence[tuple[str, str, str]]]]


def table(path: Path) -> Beside | None:
    """From the ``.csv`` of ``lemur.figures.compared``; None where nothing has a score of the paper."""
    with open(path, encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    groups = dict.fromkeys(line["Group"] for line in lines if line["Paper"])
    cells: dict[str, dict[str, tuple[str, str, str]]] = {}
    for line in lines:
        if line["Group"] in groups:
            judged = line["Ours"] != ""
            cells.setdefault(_name(line["Benchmark"]), {})[line["Group"]] = (
                _one(line["Paper"]),
                _one(line["Ours"]) if judged else "not judged",
                line["Ours, 95% interval"] if judged else "",
            )
    # The means of two models may be over different benchmarks; they come last.
    order = sorted(cells, key=lambda name: name.startswith(("Mean of", "Average")))
    models = [(name, paper) for name, _, paper in (group.rpartition(_MARK) for group in groups)]
    rows = [(name, [cells[name].get(group, ("", "", "")) for group in groups]) for name in order]
    return Beside(models, rows) if groups else None


def _one(number: str) -> str:
    return f"{float(number):.1f}" if number else ""


def _name(benchmark: str) -> str:
    """As the paper writes it; a variant also by its own name."""
    column = column_of(benchmark)
    if column is None:
        return benchmark
    return column if benchmark in COLUMNS else f"{column} ({benchmark})"
