"""The paper's foundation results: its table, and the radar of its chat models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError, nearest
from lemur.figures import radar, reported, tables
from lemur.figures.inputs import write_csv
from lemur.figures.style import Style, canvas, colours, save

BENCHMARKS = ("MMLU", "BBH", "GSM8K", "HumanEval", "MBPP", "Spider", "MultiPL-E", "DS-1000")
AVERAGE = "average"


def _row(numbers: reported.Numbers, model: str) -> list[float]:
    known = dict.fromkeys(name for name, _ in numbers)
    if model not in known:
        raise UserError(
            f"foundation: no model '{model}' in the paper's table{nearest(model, known)}"
        )
    missing = [name for name in (*BENCHMARKS, AVERAGE) if (model, name) not in numbers]
    if missing:
        raise UserError(f"foundation: no {missing[0]} of {model}")
    return [numbers[model, name] for name in (*BENCHMARKS, AVERAGE)]


def table(spec: Mapping[str, Any], numbers: reported.Numbers) -> tables.Table:
    """All models in the groups of ``spec["groups"]``, a list of {heading, models}; the best of each
    group and column is bold.

    The mean of each row is taken again and compared with the printed average.
    """
    groups, bold, off = [], set(), []
    for g, group in enumerate(spec["groups"]):
        heading, rows = group["heading"], [[name, *_row(numbers, name)] for name in group["models"]]
        for c in range(1, len(BENCHMARKS) + 2):
            best = max(row[c] for row in rows)
            bold |= {(g, r, c) for r, row in enumerate(rows) if row[c] == best}
        for row in rows:
            mean = sum(row[1:-1]) / len(BENCHMARKS)
            if abs(mean - row[-1]) > 0.0501:
                off.append(f"{row[0]} (mean {mean:.2f}, printed {row[-1]:.1f})")
        groups.append((heading, rows))
    checked = f"The mean of each row's eight scores was taken again: {', '.join(off)}."
    if not off:
        checked = "Each row's printed average was taken again and holds to its last digit."
    return tables.Table(
        caption="Foundation benchmarks as the paper prints them (transcribed, not recomputed)",
        columns=[
            tables.Column("Model"),
            *(tables.Column(name, 1) for name in BENCHMARKS),
            tables.Column("Average", 1),
        ],
        groups=groups,
        notes=["Scores of 15B to 70B models from the paper; bold: best of its group. " + checked],
        bold=frozenset(bold),
    )


def write_table(spec: Mapping[str, Any], source: Path, out: Path) -> None:
    """The table in four formats from ``reported.csv`` (``source``)."""
    tables.write(table(spec, reported.table(source, "foundation")), out)


def write_radar(spec: Mapping[str, Any], source: Path, out: Path) -> None:
    """Radar of the models in the list ``spec["models"]``, drawn in its order; the last one is shaded
    and its values are printed at the axes."""
    numbers = reported.table(source, "foundation")
    models = spec.get("models")
    if not isinstance(models, list) or not models:
        raise UserError("--spec: models: a list of at least one model, in drawing order")
    style, chosen = Style.parse(spec), colours(spec, models)
    scores = {model: _row(numbers, model)[:-1] for model in models}
    main = models[-1]
    figure = canvas(style, style.width * 1.06)
    names = [f"{name}\n{value:.1f}" for name, value in zip(BENCHMARKS, scores[main], strict=True)]
    markers = dict(zip(models, "Dsv^o"[-len(models) :], strict=True))
    lines = [
        radar.Series(model, scores[model], markers[model], filled=model == main) for model in models
    ]
    radar.draw(figure, style, names, lines, chosen, top=70, step=10)
    figure.legend(loc="outside lower center", ncols=2)
    described = "; ".join(
        f"{model}: "
        + ", ".join(f"{name} {value:g}" for name, value in zip(BENCHMARKS, values, strict=True))
        for model, values in scores.items()
    )
    title = "Foundation benchmarks of chat models, as the paper prints them"
    save(figure, out, style, title, f"Radar on one scale from 0 to 70. {described}.", chosen)
    rows = [
        [model, name, value, "transcribed"]
        for model, values in scores.items()
        for name, value in zip(BENCHMARKS, values, strict=True)
    ]
    write_csv(out, ["model", "benchmark", "score", "mark"], rows)
