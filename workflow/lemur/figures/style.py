"""How a figure looks, and how it becomes an SVG file of always the same bytes."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure

from lemur.core.errors import UserError, nearest
from lemur.core.files import write_text
from lemur.figures.svg import accessible

Pair = tuple[str, str]

_HEX = re.compile(r"#[0-9a-f]{6}")


def pair(value: Any, where: str) -> Pair:
    """A colour on light and on dark ground: ``["#rrggbb", "#rrggbb"]``, or one for both."""
    both = [value, value] if isinstance(value, str) else value
    if not isinstance(both, list | tuple) or len(both) != 2:
        raise UserError(f"{where}: expected a colour '#rrggbb' or two of them (light, dark)")
    for colour in both:
        if not isinstance(colour, str) or not _HEX.fullmatch(colour.lower()):
            raise UserError(f"{where}: {colour!r} is not a colour '#rrggbb'")
    return both[0].lower(), both[1].lower()


@dataclass(frozen=True)
class Style:
    """Common look: ``width`` in inches, ``font_size`` in points, colours as (light, dark)."""

    width: float
    font_size: float
    ink: Pair
    muted: Pair
    grid: Pair
    paper: Pair

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> "Style":
        """From ``spec["style"]``; an unknown, missing or malformed key is a ``UserError``."""
        given = spec.get("style") if isinstance(spec, Mapping) else None
        if not isinstance(given, Mapping):
            raise UserError("--spec: no mapping 'style' (see config/figures.yaml)")
        names = [field.name for field in fields(cls)]
        for key in given:
            if key not in names:
                raise UserError(f"--spec: style: unknown key '{key}'{nearest(key, names)}")
        for name in names:
            if name not in given:
                raise UserError(f"--spec: style: no '{name}'")
        sizes = {}
        for name, low, high in (("width", 2, 20), ("font_size", 4, 30)):
            value = given[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise UserError(f"--spec: style.{name}: {value!r} is not a number")
            if not low <= value <= high:
                raise UserError(f"--spec: style.{name}: {value} is outside {low} to {high}")
            sizes[name] = float(value)
        colours = {name: pair(given[name], f"--spec: style.{name}") for name in names[2:]}
        return cls(**sizes, **colours)


def colours(spec: Mapping[str, Any], names: list[str]) -> dict[str, Pair]:
    """``spec["colours"]``, which must name exactly the series of the figure."""
    given = spec.get("colours", {})
    for name in given:
        if name not in names:
            raise UserError(f"--spec: colours: unknown series '{name}'{nearest(name, names)}")
    for name in names:
        if name not in given:
            raise UserError(f"--spec: colours: no colour for '{name}'")
    return {name: pair(given[name], f"--spec: colours.{name}") for name in names}


def canvas(style: Style, height: float) -> Figure:
    """An empty figure, ``style.width`` by ``height`` inches, drawn with matplotlib's own DejaVu."""
    own = str(Path(matplotlib.get_data_path()))
    # A system copy of the font, of another version, would give other outlines.
    font_manager.fontManager.ttflist = [
        font for font in font_manager.fontManager.ttflist if font.fname.startswith(own)
    ]
    matplotlib.rcdefaults()
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "lemur",
            "svg.fonttype": "path",
            "font.family": "DejaVu Sans",
            "font.size": style.font_size,
            "axes.titlesize": style.font_size,
            "axes.labelsize": style.font_size,
            "xtick.labelsize": style.font_size - 0.5,
            "ytick.labelsize": style.font_size - 0.5,
            "legend.fontsize": style.font_size - 0.5,
            "legend.frameon": False,
            "text.color": style.ink[0],
            "axes.labelcolor": style.ink[0],
            "axes.edgecolor": style.muted[0],
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.facecolor": "none",
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": style.grid[0],
            "grid.linewidth": 0.6,
            "xtick.color": style.muted[0],
            "ytick.color": style.muted[0],
            "xtick.labelcolor": style.ink[0],
            "ytick.labelcolor": style.ink[0],
            "lines.linewidth": 1.6,
        }
    )
    return Figure(figsize=(style.width, height), facecolor=style.paper[0], layout="constrained")


def save(
    figure: Figure,
    out: Path,
    style: Style,
    title: str,
    description: str,
    series: Mapping[str, Pair],
) -> None:
    """Write the SVG: no date, fixed ids, a title and a description, and a dark variant by CSS."""
    buffer = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", metadata=nothing, facecolor=style.paper[0])
    pairs = [style.ink, style.muted, style.grid, style.paper, *series.values()]
    write_text(out, accessible(buffer.getvalue(), title, description, pairs))
