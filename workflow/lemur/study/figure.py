"""A study's figure of four panels, from analysis.json alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.figures.style import Pair, Style, canvas, pair, save
from lemur.study.findings import Analysis

MARKERS = "os^Dv<>pPX*hd"
TITLES = (
    "A  Difference to the dotted share",
    "B  Gain against forgetting",
    "C  Best share of code",
    "D  Predicted against measured",
)


def draw(spec: Mapping[str, Any], analysis: Path, out: Path) -> None:
    """Write the SVG. ``spec``: the style, and ``lines``, a colour a size in order."""
    found = contracts.read_file(Analysis, analysis)
    style = Style.parse(spec)
    lines = [pair(colour, f"--spec: lines.{n}") for n, colour in enumerate(spec["lines"])]
    names = found.sizes
    if len(names) > min(len(lines), len(MARKERS)):
        raise UserError(f"--spec: lines: {len(lines)} colours for {len(names)} bases")
    colours = dict(zip(names, lines, strict=False))
    measures = found.measures
    if len(measures) > len(MARKERS):
        raise UserError(
            f"{analysis}: {len(measures)} measures: panel D has markers for {len(MARKERS)}"
        )
    figure = canvas(style, 2.0 * len(measures) + 8.4)
    heights = [1.7] * len(measures) + [2.3, 2.3, 2.5]
    axes = figure.subplots(len(heights), 1, height_ratios=heights)
    for axis, measure in zip(axes, measures, strict=False):
        _difference(axis, style, found, measure, colours, first=measure == measures[0])
    axes[len(measures) - 1].set_xlabel("share of code")
    _gain(axes[-3], style, found, measures, colours)
    _best(axes[-2], style, found, colours)
    _predicted(axes[-1], style, found, measures, colours)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=3)
    save(figure, out, style, f"Study {found.study}", _described(found, measures), colours)


def _difference(axis: Any, style: Style, found: Analysis, measure: str, colours: Mapping[str, Pair], first: bool) -> None:  # fmt: skip
    shares, number = found.shares, found.shares.index(found.reference)
    for marker, (name, colour) in zip(MARKERS, colours.items(), strict=False):
        curve = found.bases[name].measures[measure]
        against, law = curve.against_reference, curve.law
        axis.fill_between(shares, against.band_low, against.band_high, color=colour[0], alpha=0.18, linewidth=0)  # fmt: skip
        axis.plot(shares, against.mean, marker=marker, markersize=4, color=colour[0], label=name)
        # The law's own height at 10:1 is not the measured one: its line is held to the same zero.
        line = np.array(law.line) - curve.values[number]
        axis.plot(
            np.linspace(shares[0], shares[-1], len(line)),
            line,
            color=colour[0],
            linestyle="--",
            linewidth=1,
        )
    axis.axvline(found.reference, color=style.muted[0], linewidth=1, linestyle=":")
    axis.axhline(0, color=style.muted[0], linewidth=0.8)
    primary = " (primary)" if measure == found.primary else ""
    axis.set_title((f"{TITLES[0]}\n" if first else "") + f"{measure}{primary}", loc="left")
    axis.set_ylabel("bits per byte")


def _gain(axis: Any, style: Style, found: Analysis, measures: Sequence[str], colours: Mapping[str, Pair]) -> None:  # fmt: skip
    """What code gained against what text lost, both to the base; a label a share."""
    axis.set_title(TITLES[1], loc="left")
    if not {"code", "text"} <= set(measures):
        axis.text(0.5, 0.5, "needs measures code and text", transform=axis.transAxes, ha="center")
        return
    for marker, (name, colour) in zip(MARKERS, colours.items(), strict=False):
        parts = found.bases[name].measures
        lost = parts["text"].against_base.mean
        gained = [-x for x in parts["code"].against_base.mean]
        axis.plot(lost, gained, marker=marker, markersize=4, color=colour[0])
        for x, y, share in zip(lost, gained, found.shares, strict=True):
            axis.annotate(f"{share:.2f}", (x, y), xytext=(3, 3), textcoords="offset points", fontsize=style.font_size - 3)  # fmt: skip
    axis.set_xlabel("text lost to the base (bits per byte)")
    axis.set_ylabel("code gained")
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.margins(0.12)


def _best(axis: Any, style: Style, found: Analysis, colours: Mapping[str, Pair]) -> None:
    axis.set_title(f"{TITLES[2]}, by {found.primary}", loc="left")
    rows = []
    for marker, (name, colour) in zip(MARKERS, colours.items(), strict=False):
        part = found.bases[name]
        best, row = part.measures[found.primary].law.best, len(rows)
        axis.plot([best.low, best.high], [row, row], color=colour[0])
        axis.plot([best.share], [row], marker=marker, color=colour[0])
        rows.append(
            f"{name} ({part.millions:.3g}M)" + (", at the edge" if best.edge is not None else "")
        )
    for name, both in found.published.items():
        axis.plot(both, [len(rows)] * len(both), marker="|", markersize=9, color=style.muted[0])
        rows.append(name)
    axis.axvline(found.reference, color=style.muted[0], linewidth=1, linestyle=":")
    for row, name in enumerate(rows):  # above its line, since names are longer than a margin
        axis.annotate(name, (0, row), xytext=(2, 4), textcoords="offset points", fontsize=style.font_size - 2)  # fmt: skip
    axis.set_yticks([])
    axis.set_ylim(len(rows) - 0.5, -0.9)
    axis.set_xlim(-0.03, 1.03)
    axis.set_xlabel("share of code")


def _predicted(axis: Any, style: Style, found: Analysis, measures: Sequence[str], colours: Mapping[str, Pair]) -> None:  # fmt: skip
    """Each share predicted by the chosen law without it, as differences to the measure's mean, so
    that measures of other heights fit one panel. Hollow: the first and the last share, to which the
    law had to reach out."""
    axis.set_title(TITLES[3], loc="left")
    reach = 0.0
    for name, colour in colours.items():
        for marker, measure in zip(MARKERS, measures, strict=False):
            curve = found.bases[name].measures[measure]
            values, predicted = np.array(curve.values), np.array(curve.law.left_out)
            middle = values.mean()
            for chosen, face in ((slice(1, -1), colour[0]), (slice(None, None, len(values) - 1), "none")):  # fmt: skip
                axis.plot((values - middle)[chosen], (predicted - middle)[chosen], marker=marker, markersize=4, linestyle="none", color=colour[0], markerfacecolor=face)  # fmt: skip
            reach = max(reach, float(np.abs([values - middle, predicted - middle]).max()))
    for marker, measure in zip(MARKERS, measures, strict=False):
        axis.plot([], [], marker=marker, linestyle="none", color=style.ink[0], label=measure)
    axis.plot([-reach, reach], [-reach, reach], color=style.muted[0], linewidth=1, linestyle="--")
    axis.set_xlabel("measured, less the mean (bits per byte)")
    axis.set_ylabel("predicted, that share left out")
    axis.legend(loc="best")


def _described(found: Analysis, measures: Sequence[str]) -> str:
    """The figure in words, for those who do not see it."""
    sentences = []
    for name in found.sizes:
        for measure in measures:
            curve = found.bases[name].measures[measure]
            values = ", ".join(f"{share:.3f}: {value:.3f}" for share, value in zip(found.shares, curve.values, strict=True))  # fmt: skip
            best = curve.law.best
            sentences.append(f"{name}, {measure}: bits per byte by share of code {values}; the base {curve.base:.3f}; law {curve.law.name}, best share {best.share:.3f} ({best.low:.3f} to {best.high:.3f})")  # fmt: skip
    return f"{found.description} {'. '.join(sentences)}. {found.verdict}"
