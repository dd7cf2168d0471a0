"""Scores of a recipe's models with intervals: bits per byte, and benchmarks.

Only scores of one recipe come here. The paper's numbers are of 70B models and have figures of
their own: this module does not read them, so that the two cannot share an axis.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.figures.inputs import scores, write_csv
from lemur.figures.style import Pair, Style, canvas, colours, save

BITS = {"bits_per_byte_code": "code", "bits_per_byte_text": "text"}
NAMES = {"humaneval": "HumanEval", "gsm8k": "GSM8K", "mbpp": "MBPP", "mmlu": "MMLU", "bbh": "BBH"}
_COLUMNS = ["benchmark", "model", "metric", "value", "low", "high", "n", "of", "judged", "reason"]


def _row(score: Mapping[str, Any]) -> list[Any]:
    low, high = score["interval"] or (None, None)
    return [
        score["benchmark"], score["model"], score["metric"], score["value"], low, high, score["n"],
        score["of"], score["judged"], score.get("reason"),
    ]  # fmt: skip


def _label(spec: Mapping[str, Any], model: str) -> str:
    labels = spec.get("labels", {})
    if model not in labels:
        raise UserError(f"--spec: labels: no label for the model '{model}'")
    return labels[model]


def _point(
    axes: Any, y: float, score: Mapping[str, Any], colour: Pair, marker: str, scale: float
) -> None:
    value = score["value"] * scale
    if score["interval"]:
        low, high = (edge * scale for edge in score["interval"])
        axes.plot([low, high], [y, y], color=colour[0], linewidth=2, solid_capstyle="round")
    axes.plot(value, y, marker, color=colour[0], markersize=6.5)


def _text(axes: Any, style: Style, x: float, y: float, text: str) -> None:
    axes.annotate(
        text,
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=style.font_size - 1.5,
    )


def _nothing(style: Style, out: Path, title: str, found: Sequence[Mapping[str, Any]]) -> None:
    """A recipe may run none of these benchmarks: the figure says so instead of failing the run."""
    figure = canvas(style, 0.6)
    figure.text(0.5, 0.5, "no such benchmark was run and judged", ha="center", va="center")
    save(figure, out, style, title, "No such benchmark was run and judged.", {})
    write_csv(out, _COLUMNS, [_row(score) for score in found])


def _described(spec: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for score in found:
        name = f"{score['benchmark'].replace('_', ' ')}, {_label(spec, score['model'])}"
        if score["value"] is None:
            parts.append(f"{name}: not judged ({score.get('reason')})")
            continue
        span = ""
        if score["interval"]:
            span = f", interval {score['interval'][0]:.4g} to {score['interval'][1]:.4g}"
        parts.append(f"{name}: {score['value']:.4g}{span}, n {score['n']} of {score['of']}")
    return "; ".join(parts) + "."


def write_bits(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """Bits per byte of held-out code and text, a row a model: lower is better."""
    style, chosen = Style.of(spec), colours(spec, list(BITS.values()))
    found = [score for score in scores(paths) if score["benchmark"] in BITS]
    shown = [score for score in found if score["value"] is not None]
    if not shown:
        _nothing(style, out, "Bits per byte on held-out code and text", found)
        return
    models = [name for name in spec.get("labels", {}) if any(s["model"] == name for s in found)]
    figure = canvas(style, 0.62 * len(models) + 1.0)
    axes = figure.add_subplot()
    right = max((score["interval"] or [0, score["value"]])[1] for score in shown)
    left = min((score["interval"] or [score["value"]])[0] for score in shown)
    for score in shown:
        kind = BITS[score["benchmark"]]
        y = models.index(score["model"]) + (-0.17 if kind == "code" else 0.17)
        _point(axes, y, score, chosen[kind], "o" if kind == "code" else "s", 1)
        edge = (score["interval"] or [0, score["value"]])[1]
        _text(axes, style, edge, y, f"{score['value']:.3f}")
    room = (right - left) or right
    axes.set_xlim(left - 0.06 * room, right + 0.2 * room)
    axes.set_yticks(range(len(models)), [_label(spec, name) for name in models])
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_xlabel("bits per byte of held-out documents (lower is better)")
    axes.grid(visible=False, axis="y")
    for kind, marker in (("code", "o"), ("text", "s")):
        axes.plot([], [], marker, color=chosen[kind][0], label=kind)
    figure.legend(loc="outside upper right", ncols=2, handletextpad=0.2)
    save(
        figure,
        out,
        style,
        "Bits per byte on held-out code and text",
        _described(spec, found),
        chosen,
    )
    write_csv(out, _COLUMNS, [_row(score) for score in found])


def write_scores(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """Benchmark scores in percent, a group a benchmark, a row a model, n beside each."""
    names = list(spec.get("labels", {}))
    style, chosen = Style.of(spec), colours(spec, names)
    found = [score for score in scores(paths) if score["benchmark"] not in BITS]
    if not found:
        _nothing(style, out, "Benchmark scores of this recipe", found)
        return
    benchmarks = list(dict.fromkeys(score["benchmark"] for score in found))
    figure = canvas(style, 0.27 * len(found) + 0.45 * len(benchmarks) + 0.6)
    axes = figure.add_subplot()
    y, ticks = 0.0, []
    for benchmark in benchmarks:
        group = [score for score in found if score["benchmark"] == benchmark]
        axes.text(
            0, y, f"{NAMES.get(benchmark, benchmark)} ({group[0]['metric']})", weight="bold",
            va="center",
        )  # fmt: skip
        y += 1
        for score in group:
            ticks.append((y, _label(spec, score["model"])))
            if score["value"] is None:
                _text(axes, style, 0, y, "not judged: see the table")
            else:
                marker = dict(zip(names, "Dos", strict=False)).get(score["model"], "o")
                _point(axes, y, score, chosen[score["model"]], marker, 100)
                edge = 100 * (score["interval"] or [0, score["value"]])[1]
                _text(axes, style, edge, y, f"{100 * score['value']:.1f}  (n={score['n']})")
            y += 1
        y += 0.5
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.set_ylim(y - 0.6, -0.7)
    highest = max([100 * (score["interval"] or [0, score["value"] or 0])[1] for score in found])
    axes.set_xlim(-1, max(10.0, min(125.0, highest * 1.3 + 8)))
    axes.set_xlabel("score in percent, with 95% interval")
    axes.grid(visible=False, axis="y")
    save(figure, out, style, "Benchmark scores of this recipe", _described(spec, found), chosen)
    write_csv(out, _COLUMNS, [_row(score) for score in found])
