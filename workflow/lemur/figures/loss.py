"""Training over the tokens trained on: loss, learning rate, and held-out code and text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lemur.core.errors import UserError
from lemur.evaluation.score import read_scores
from lemur.figures.inputs import metrics, write_csv
from lemur.figures.style import Style, canvas, colours, save

_TITLES = {"pretrain": "Continued pretraining", "sft": "Instruction tuning (SFT)"}
_KINDS = {"bits_per_byte_code": "code", "bits_per_byte_text": "text"}
_AFTER = {"start": (), "pretrained": ("pretrain",), "chat": ("pretrain", "sft")}
_COLUMNS = ["stage", "step", "tokens", "loss", "trailing_mean", "learning_rate", "bits_per_byte"]


def smooth(values: np.ndarray, window: int) -> np.ndarray:
    """Mean over the last ``window`` values up to each point (fewer at the start).

    A trailing mean, because a centred one would show at a step what was only learnt later.
    """
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _si(value: float, _: int = 0) -> str:
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


def heldout(
    paths: Sequence[Path], tokens: Mapping[str, int]
) -> dict[str, list[tuple[int, str, float]]]:
    """{kind: [(tokens trained on, model, bits per byte)]} of the models that training made.

    ``tokens``: those of each stage. Models that were not trained here have no place on the line.
    """
    found: dict[str, list[tuple[int, str, float]]] = {}
    for score in read_scores(paths):
        kind, after = _KINDS.get(score.benchmark), _AFTER.get(score.model)
        if kind and after is not None and score.value is not None and {*after} <= {*tokens}:
            place = sum(tokens[stage] for stage in after)
            found.setdefault(kind, []).append((place, score.model, score.value))
    return {kind: sorted(points) for kind, points in sorted(found.items())}


def write(
    spec: Mapping[str, Any], sources: Mapping[str, Path], judged: Sequence[Path], out: Path
) -> None:
    """``sources`` maps ``pretrain`` and ``sft`` to their ``metrics.jsonl``: two panels each, loss
    and learning rate. ``judged``: ``scores.json`` of bits per byte, one panel with a line for held-out
    code and one for text."""
    style, chosen = Style.parse(spec), colours(spec, [*_TITLES, *_KINDS.values()])
    share = float(spec.get("smoothing", 0.05))
    if not 0 <= share <= 1:
        raise UserError(f"--spec: smoothing: {share:g} is outside 0 to 1 (share of the steps)")
    steps = {stage: metrics(path) for stage, path in sources.items()}
    kinds = heldout(judged, {stage: lines[-1].tokens for stage, lines in steps.items()})
    heights = [2.1, 1.05] * len(steps) + ([1.9] if kinds else [])
    figure = canvas(style, sum(heights))
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    rows, described = [], []
    for number, (stage, lines) in enumerate(steps.items()):
        panel, below = panels[2 * number : 2 * number + 2]
        tokens = np.array([step.tokens for step in lines], dtype=float)
        loss = np.array([step.loss for step in lines], dtype=float)
        window = max(1, round(share * len(lines)))
        mean = smooth(loss, window)
        colour = chosen[stage][0]
        if window > 1:
            panel.plot(tokens, loss, color=colour, alpha=0.35, linewidth=0.8)
        marker = "o" if len(lines) == 1 else None
        panel.plot(tokens, mean, color=colour, marker=marker)
        panel.set_title(f"{_TITLES[stage]}: {len(lines)} steps", loc="left")
        panel.set_ylabel("loss\n(nats a token)")
        panel.tick_params(labelbottom=False)
        rates = [step.learning_rate for step in lines]
        below.plot(tokens, [np.nan if x is None else x for x in rates], color=colour, marker=marker)
        below.set_ylabel("learning\nrate")
        below.set_ylim(bottom=0)
        below.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2))
        below.set_xlabel("tokens trained on" if stage == "pretrain" else "tokens read")
        for axes in (panel, below):
            axes.xaxis.set_major_formatter(_si)
            axes.margins(x=0.02)
        rows += [
            [stage, step.step, step.tokens, step.loss, float(average), rate, None]
            for step, average, rate in zip(lines, mean, rates, strict=True)
        ]
        described.append(
            f"{_TITLES[stage]}: {len(lines)} steps, {lines[-1].tokens} tokens, loss "
            f"{loss[0]:.3f} at the first step and {loss[-1]:.3f} at the last "
            f"(mean of the last {window}: {mean[-1]:.3f})"
        )
    if kinds:
        described += _heldout(panels[-1], kinds, {kind: chosen[kind][0] for kind in kinds})
        for kind, points in kinds.items():
            rows += [[f"held-out {kind}, {m}", None, n, *[None] * 3, bits] for n, m, bits in points]
    note = "Loss of training batches, cross-entropy a token. "
    save(figure, out, style, "Training loss", note + "; ".join(described) + ".", chosen)
    write_csv(out, _COLUMNS, rows)


def _heldout(
    axes: Any, kinds: Mapping[str, Sequence[tuple[int, str, float]]], colour: Mapping[str, str]
) -> list[str]:
    """Draw the lines; what they say in words."""
    described = []
    # One place a model: SFT's tokens are too few to be seen beside those of pretraining.
    models = {model: place for points in kinds.values() for place, model, _ in points}
    order = sorted(models, key=lambda model: (models[model], list(_AFTER).index(model)))
    for (kind, points), marker in zip(kinds.items(), "os", strict=False):
        places, values = zip(
            *((order.index(model), bits) for _, model, bits in points), strict=True
        )
        axes.plot(places, values, marker=marker, color=colour[kind], label=kind)
        shown = ", ".join(f"{model} {value:.3f}" for _, model, value in points)
        described.append(f"held-out {kind}, bits per byte: {shown}")
    axes.set_xticks(range(len(order)), [f"{name}\n{_si(models[name])}" for name in order])
    axes.set_title("Held-out documents", loc="left")
    axes.set_ylabel("bits per byte")
    axes.set_xlabel("model, after so many tokens")
    axes.margins(x=0.1, y=0.2)
    axes.legend(loc="best")
    return described
