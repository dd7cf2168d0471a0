"""Scores for a terminal: a row a score, then what a reader must know of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lemur.core.text_table import aligned
from lemur.evaluation import caveats
from lemur.evaluation.score import read_scores
from lemur.report.page import score_rows

_HEAD = ("benchmark", "model", "score", "95% interval", "problems", "against start, same problems")


def text_of(paths: Iterable[Path], labels: Mapping[str, str]) -> str:
    """The table of ``scores.json`` files, with their ``verdicts.jsonl`` beside them.

    ``labels``: what a model is called, by its name.
    """
    scores = read_scores(paths)
    rows, notes = [], []
    for score, row in zip(scores, score_rows(scores, labels), strict=True):
        keys = ("benchmark", "model", "value", "interval", "n", "against")
        rows.append([row[key] for key in keys])
        if score.value is None:
            said = [f"not judged: {score.reason or 'no reason given'}"]
        else:
            left = score.not_judged or {}
            said = [f"{count} not judged: {reason}" for reason, count in left.items()]
        said += caveats.all_caveats(score)
        if said:
            notes.append(f"{row['benchmark']}, {row['model']}: {'; '.join(said)}")
    return "\n".join([*aligned(_HEAD, rows), *notes])
