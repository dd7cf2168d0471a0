"""The paper's agent radar with a recipe's own agents: as printed, as recounted, and as played here."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents.axes import AXES, Label
from lemur.agents.live_axes import LiveLabel, live_labels
from lemur.figures import radar
from lemur.figures.agent import SHORT, read_labels
from lemur.figures.inputs import write_csv
from lemur.figures.live_agents import players, read_results
from lemur.figures.style import Style, canvas, colours, save

MODEL = "Lemur-70B-Chat"
PRINTED, RECOUNTED = f"{MODEL}, as printed", f"{MODEL}, recounted"
_COLUMNS = [
    "axis", "series", "value", "low", "high", "strict", "mark", "parts", "parts_of_axis", "note",
]  # fmt: skip


def _series(
    named: Mapping[str, str], paper: Mapping[str, Label], live: Mapping[tuple[str, str], LiveLabel]
) -> list[radar.Series]:
    """The paper's numbers, those counted again, and each model of the recipe that played."""
    names = [axis.name for axis in AXES]
    every = frozenset(range(len(names)))
    counted = [paper[name].rate for name in names]
    made = [
        radar.Series(PRINTED, [paper[name].printed for name in names], "s", every),
        radar.Series(RECOUNTED, [rate and rate.percent for rate in counted], "o"),
    ]
    for number, model in enumerate(dict.fromkeys(model for _, model in live)):
        mine = [live.get((name, model)) for name in names]
        half = frozenset(k for k, label in enumerate(mine) if label is not None and not label.whole)
        values = [label and label.value for label in mine]
        made.append(radar.Series(named[model], values, "D^vP*"[number % 5], partial=half))
    return made


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.1f}"


def _at_axis(name: str, values: Sequence[float | None]) -> str:
    """The axis' name, the paper's two numbers, and below them those of this recipe's models."""
    shown = [_number(value) for value in values]
    return "\n".join([SHORT.get(name, name), " / ".join(shown[:2]), " / ".join(shown[2:])]).rstrip()


def write(
    spec: Mapping[str, Any], source: Path, table: Path, paths: Sequence[Path], out: Path
) -> None:
    """Hollow: as printed. Filled: counted, from records or played whole. Half-filled: some of an
    axis' parts or tasks, which are named below. An axis of which nothing was played has no marker."""
    style, named = Style.parse(spec), players(spec)
    own = {name: label for name, label in named.items() if name in spec.get("colours", {})}
    chosen = colours(spec, [PRINTED, RECOUNTED, *own])
    chosen = {own.get(name, name): pair for name, pair in chosen.items()}
    names = [axis.name for axis in AXES]
    paper = {label.axis: label for label in read_labels(source, table) if label.model == MODEL}
    labels = live_labels(read_results(spec, paths))
    live = {(label.axis, label.model): label for label in labels}
    series = _series(named, paper, live)
    for line in series:  # a published model has no colour of its own, but a marker
        chosen.setdefault(line.name, style.ink)
    texts = [_at_axis(name, [line.values[k] for line in series]) for k, name in enumerate(names)]
    highest = max(value for line in series for value in line.values if value is not None)
    top = max(60, math.ceil(highest / 10) * 10)
    notes = _notes(labels)
    figure = canvas(style, style.width * 1.2 + 0.2 * (len(notes) + len(series)))
    polar = radar.draw(figure, style, texts, series, chosen, top=top, step=10 if top < 70 else 20)
    figure.legend(*polar.get_legend_handles_labels(), loc="outside upper center", ncols=1)
    figure.supxlabel("\n".join(notes), fontsize=style.font_size - 0.5)
    described = [f"{PRINTED}: " + ", ".join(f"{x} {paper[x].printed:.2f}" for x in names)]
    for label in paper.values():
        if label.rate:
            described.append(f"{RECOUNTED}: {label.axis} {label.rate.percent:.2f} ({label.note})")
    for own_label in labels:
        state = "whole" if own_label.whole else "in part"
        described.append(
            f"{named[own_label.model]}: {own_label.axis} {own_label.value:.2f} ({state}; {own_label.note})"
        )
    if not labels:
        described.append("nothing of any axis was played by a model of this recipe")
    title = "Agent capabilities: the paper's, recounted, and this recipe's own agents"
    save(figure, out, style, title, f"Radar on one scale from 0 to {top}. {'; '.join(described)}.", chosen)  # fmt: skip
    write_csv(out, _COLUMNS, _rows(named, paper, labels))


def _notes(labels: Sequence[LiveLabel]) -> list[str]:
    """Which parts stand for an axis that was not played whole, axis by axis."""
    notes = ["at each axis: as printed / recounted, then this recipe's"]
    if not labels:
        return [*notes, "no model of this recipe has played any axis"]
    partial: dict[str, list[str]] = {}
    for label in labels:
        if not label.whole:
            shown = partial.setdefault(label.axis, [])
            shown += [played.part.name for played in label.played if played.part.name not in shown]
    if partial:
        notes.append("half-filled: some parts or tasks of the axis only")
    for axis, shown in partial.items():
        notes += textwrap.wrap(f"{axis}: {', '.join(shown)}", 56)
    return notes


def _rows(
    named: Mapping[str, str], paper: Mapping[str, Label], labels: Sequence[LiveLabel]
) -> list[list[Any]]:
    rows = []
    for axis in AXES:
        label = paper[axis.name]
        rows.append(
            [axis.name, PRINTED, label.printed, *[None] * 3, "as printed", None, None, None]
        )
        if label.rate:
            rows.append([axis.name, RECOUNTED, label.rate.percent, *label.rate.interval, None,
                         label.mark, None, None, label.note])  # fmt: skip
        for own in labels:
            if own.axis == axis.name:
                total = len(own.played) + len(own.missing)
                mark = "played whole" if own.whole else "played in part"
                rows.append([axis.name, named[own.model], own.value, *own.interval, own.strict, mark,
                             len(own.played), total, own.note])  # fmt: skip
    return rows
