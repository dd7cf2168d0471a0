"""A radar chart on one linear scale."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from lemur.figures.style import Pair, Style


@dataclass(frozen=True)
class Series:
    """One polygon. ``values`` in the axes' order, None where there is none: no marker stands there
    and no line leads there. ``hollow`` are the axes drawn as open markers, ``partial`` as half-filled
    ones."""

    name: str
    values: Sequence[float | None]
    marker: str = "o"
    hollow: frozenset[int] = field(default_factory=frozenset)
    filled: bool = False  # a tint inside; several overlapping tints would mix to mud
    partial: frozenset[int] = field(default_factory=frozenset)


def draw(
    figure: Figure,
    style: Style,
    axes: Sequence[str],
    series: Sequence[Series],
    colours: Mapping[str, Pair],
    top: float,
    step: float,
) -> PolarAxes:
    """Polygons over ``axes``, first axis up, clockwise; rings every ``step`` up to ``top``."""
    polar = figure.add_subplot(projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(axes), endpoint=False)
    polar.set_theta_zero_location("N")
    polar.set_theta_direction(-1)
    polar.set_xticks(angles, ["" for _ in axes])
    rings = np.arange(step, top + step / 2, step)
    polar.set_ylim(0, top)
    polar.set_yticks(rings, [f"{ring:g}" for ring in rings], color=style.muted[0])
    polar.tick_params(axis="y", labelsize=style.font_size - 1)
    polar.set_rlabel_position(180 / len(axes))
    polar.spines["polar"].set_color(style.grid[0])
    for line in series:
        colour = colours[line.name][0]
        closed = [math.nan if value is None else value for value in (*line.values, line.values[0])]
        polar.plot([*angles, angles[0]], closed, color=colour, zorder=3)
        named = {"markerfacecolor": style.paper[0]} if len(line.hollow) == len(axes) else {}
        polar.plot([], [], line.marker, color=colour, linestyle="-", label=line.name, **named)
        if line.filled:
            polar.fill([*angles, angles[0]], closed, color=colour, alpha=0.1, linewidth=0)
        for number, (angle, value) in enumerate(zip(angles, line.values, strict=True)):
            if value is None:
                continue
            face = style.paper[0] if number in line.hollow else colour
            look = {"color": colour, "markerfacecolor": face, "markersize": 5, "zorder": 4}
            if number in line.partial:
                look |= {"fillstyle": "left", "markerfacecoloralt": style.paper[0]}
            polar.plot(angle, value, line.marker, clip_on=False, **look)
    for angle, text in zip(angles, axes, strict=True):
        across = round(float(np.sin(angle)), 6)
        polar.text(
            angle,
            top * 1.09,
            text,
            ha="center" if across == 0 else "left" if across > 0 else "right",
            va="bottom" if np.cos(angle) > 0.9 else "top" if np.cos(angle) < -0.9 else "center",
            linespacing=1.25,
        )
    return polar
