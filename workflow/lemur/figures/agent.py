"""The paper's agent radar and tables, recounted from recorded trajectories where there are any."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lemur.agents import outcomes, rates
from lemur.agents.axes import AXES, COUNTED, MODELS, Label, labels
from lemur.figures import radar, reported, tables
from lemur.figures.inputs import write_csv
from lemur.figures.style import Style, canvas, colours, save

SHORT = {
    "Self-debugging": "Self-\ndebugging",
    "NL feedback on reasoning": "NL feedback\non reasoning",
    "NL feedback on coding": "NL feedback\non coding",
    "Exploring digital environment": "Exploring\ndigital\nenvironment",
    "Exploring physical environment": "Exploring\nphysical\nenvironment",
}


def parts(source: Path) -> reported.Numbers:
    """The printed parts of the axes that are means."""
    tables = ("self-debugging", "digital-environment")
    return {key: value for name in tables for key, value in reported.table(source, name).items()}


def read_labels(source: Path, table: Path) -> list[Label]:
    """The 12 labels from ``reported.csv`` and the outcome table."""
    return labels(
        rates.rates(outcomes.read(table)), reported.table(source, "agent-radar"), parts(source)
    )


def write_radar(spec: Mapping[str, Any], source: Path, table: Path, out: Path) -> None:
    """Filled markers: counted. Hollow markers: printed. A cross marks a print that differs."""
    style, chosen = Style.parse(spec), colours(spec, list(MODELS))
    made = read_labels(source, table)
    at = {(label.axis, label.model): label for label in made}
    names = [axis.name for axis in AXES]
    figure = canvas(style, style.width * 1.2)
    lines = []
    for model, marker in zip(MODELS, "os", strict=True):
        hollow = {i for i, name in enumerate(names) if at[name, model].mark != COUNTED}
        values = [at[name, model].value for name in names]
        lines.append(radar.Series(model, values, marker, frozenset(hollow), not lines))
    texts = []
    for name in names:
        first, second = (at[name, model] for model in MODELS)
        star = "" if first.mark == COUNTED else "*"
        texts.append(f"{SHORT.get(name, name)}\n{first.value:.2f} / {second.value:.2f}{star}")
    polar = radar.draw(figure, style, texts, lines, chosen, top=60, step=10)
    differing = [label for label in made if label.differs]
    for label in differing:
        angle = 2 * 3.141592653589793 * names.index(label.axis) / len(names)
        colour = chosen[label.model][0]
        polar.plot(angle, label.printed, "x", color=colour, markersize=7, zorder=5)
    figure.legend(*polar.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    notes = ["filled: counted from records\nhollow and *: as printed, not recomputed"]
    notes += [
        f"\N{MULTIPLICATION SIGN} {x.axis}, {x.model}:\nrecords {x.value:.2f}, paper {x.printed:.2f}"
        for x in differing
    ]
    figure.supxlabel("\n".join(notes), fontsize=style.font_size - 0.5)
    described = "; ".join(
        f"{label.axis}, {label.model}: {label.value:.2f} ({label.mark}; {label.note})"
        for label in made
    )
    title = "Agent capabilities: four of six axes recounted from recorded trajectories"
    save(figure, out, style, title, f"Radar on one scale from 0 to 60. {described}.", chosen)
    write_csv(out, _COLUMNS, [_label_row(label) for label in made])


_COLUMNS = [
    "axis", "model", "setting", "solved", "episodes", "counted", "low", "high", "printed", "mark",
    "note",
]  # fmt: skip


def _label_row(label: Label) -> list[Any]:
    counted: list[Any] = [None] * 5
    if label.rate:
        counted = [label.rate.solved, label.rate.total, label.rate.percent, *label.rate.interval]
    return [label.axis, label.model, label.setting, *counted, label.printed, label.mark, label.note]


def write_table(spec: Mapping[str, Any], source: Path, table: Path, out: Path) -> None:
    """The 12 labels, each marked: counted, transcribed or inferred."""
    made = read_labels(source, table)
    rows = []
    for label in made:
        interval = ""
        if label.rate:
            low, high = label.rate.interval
            interval = f"{low:.1f} to {high:.1f}"
        recount = label.rate.percent if label.rate else None
        rows.append(
            [label.axis, label.model, recount, interval, label.printed, label.mark, label.note]
        )
    heads = [
        tables.Column("Axis"),
        tables.Column("Model"),
        tables.Column("Recounted", 2),
        tables.Column("95% interval"),
        tables.Column("Printed", 2),
        tables.Column("Mark"),
        tables.Column("Note"),
    ]
    marks = [label.mark for label in made]
    caption = "The agent radar's 12 labels: " + ", ".join(
        f"{marks.count(mark)} {mark}" for mark in dict.fromkeys(marks)
    )
    note = (
        "Recounted: success rate in percent, pooled over episodes, from the published MINT "
        "trajectories. Interval: Wilson score, episodes as independent draws."
    )
    tables.write(tables.Table(caption, heads, [("", rows)], [note]), out)


def write_recount(spec: Mapping[str, Any], table: Path, out: Path) -> None:
    """Every recorded model, feedback setting and task: solved episodes and success rate."""
    counted = rates.rates(outcomes.read(table))
    groups: dict[str, list[list[Any]]] = {}
    for (model, feedback, category, task), rate in counted.items():
        heading = f"{model}, {'no feedback' if feedback == 'none' else feedback + ' feedback'}"
        low, high = rate.interval
        row = [category.replace("_", " "), task, rate.solved, rate.total, rate.percent, low, high]
        groups.setdefault(heading, []).append(row)
    heads = [
        tables.Column("Category"),
        tables.Column("Task"),
        tables.Column("Solved", 0),
        tables.Column("Episodes", 0),
        tables.Column("Rate, %", 2),
        tables.Column("Low", 1),
        tables.Column("High", 1),
    ]
    caption = "MINT success rates of every recorded model, counted from trajectories"
    note = "Low and high: 95% Wilson score interval. 'all' pools the episodes of a category."
    tables.write(tables.Table(caption, heads, list(groups.items()), [note]), out)
