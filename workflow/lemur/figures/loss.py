"""Loss of pretraining and of SFT over the tokens trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lemur.errors import UserError
from lemur.figures.inputs import metrics, write_csv
from lemur.figures.style import Style, canvas, colours, save

_TITLES = {"pretrain": "Continued pretraining", "sft": "Instruction tuning (SFT)"}


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


def write(spec: Mapping[str, Any], sources: Mapping[str, Path], out: Path) -> None:
    """``sources`` maps ``pretrain`` and ``sft`` to their ``metrics.jsonl``; one panel each."""
    style, chosen = Style.of(spec), colours(spec, list(_TITLES))
    share = float(spec.get("smoothing", 0.05))
    if not 0 <= share <= 1:
        raise UserError(f"--spec: smoothing: {share:g} is outside 0 to 1 (share of the steps)")
    figure = canvas(style, 2.0 * len(sources) + 0.2)
    panels = figure.subplots(len(sources), 1, squeeze=False)[:, 0]
    rows, described = [], []
    for panel, (stage, path) in zip(panels, sources.items(), strict=True):
        steps = metrics(path)
        tokens = np.array([step["tokens"] for step in steps], dtype=float)
        loss = np.array([step["loss"] for step in steps], dtype=float)
        window = max(1, round(share * len(steps)))
        mean = smooth(loss, window)
        colour = chosen[stage][0]
        if window > 1:
            panel.plot(tokens, loss, color=colour, alpha=0.35, linewidth=0.8)
        panel.plot(tokens, mean, color=colour, marker="o" if len(steps) == 1 else None)
        panel.set_title(f"{_TITLES[stage]}: {len(steps)} steps", loc="left")
        panel.set_ylabel("loss (nats a token)")
        panel.set_xlabel("tokens trained on" if stage == "pretrain" else "tokens read")
        panel.xaxis.set_major_formatter(_si)
        panel.margins(x=0.02)
        rows += [
            [stage, step["step"], step["tokens"], step["loss"], float(average)]
            for step, average in zip(steps, mean, strict=True)
        ]
        described.append(
            f"{_TITLES[stage]}: {len(steps)} steps, {steps[-1]['tokens']} tokens, loss "
            f"{loss[0]:.3f} at the first step and {loss[-1]:.3f} at the last "
            f"(mean of the last {window}: {mean[-1]:.3f})"
        )
    note = "Loss of training batches, cross-entropy a token. "
    save(figure, out, style, "Training loss", note + "; ".join(described) + ".", chosen)
    write_csv(out, ["stage", "step", "tokens", "loss", "trailing_mean"], rows)
