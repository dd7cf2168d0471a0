"""Scores for a terminal: a row a score, then what was not judged and why."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lemur.figures import inputs
from lemur.report.page import score_rows
from lemur.text_table import aligned

_HEAD = ("benchmark", "model", "score", "95% interval", "problems", "empty answers")


def text_of(paths: Iterable[Path], labels: Mapping[str, str]) -> str:
    """The table of ``scores.json`` files. ``labels``: what a model is called, by its name."""
    scores = inputs.scores(paths)
    rows, missing = [], []
    for score, row in zip(scores, score_rows(scores, labels), strict=True):
        empty = (score.get("responses") or {}).get("empty", 0)
        shown = f"{empty} of {score['n']}" if empty else ""
        rows.append(
            (row["benchmark"], row["model"], row["value"], row["interval"], row["n"], shown)
        )
        if score["value"] is None:
            missing.append(f"not judged: {row['benchmark']}, {row['model']}: {row['note']}")
        elif left := score.get("not_judged"):
            reasons = "; ".join(f"{count} x {reason}" for reason, count in left.items())
            missing.append(f"not judged in part: {row['benchmark']}, {row['model']}: {reasons}")
    return "\n".join([*aligned(_HEAD, rows), *missing])
