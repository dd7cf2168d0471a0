"""Scores of a recipe's models: bits per byte, and benchmarks, each with the paired differences.

Two models of one run were asked the same problems and read the same documents, so that their
difference is known far better than either score: it has a panel of its own, and the interval of a
score alone is drawn thin. Many are compared at once: a star marks those of a model that are beyond chance
by Holm's correction over all its benchmarks, and a difference that is not is drawn hollow. Only scores of one recipe come here. The paper's numbers are of 70B models
and have figures of their own: this module does not read them, so that the two cannot share an axis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.evaluation import caveats
from lemur.evaluation.score import Score, read_scores
from lemur.figures.inputs import write_csv
from lemur.figures.paired import MARK, Difference, corrected, difference
from lemur.figures.style import Pair, Style, canvas, colours, save

BITS = {
    "bits_per_byte_code": "code",
    "bits_per_byte_text": "text",
    "bits_per_byte_conversations": "conversations",
}
NAMES = {"humaneval": "HumanEval", "gsm8k": "GSM8K", "mbpp": "MBPP", "mmlu": "MMLU", "bbh": "BBH"}
_COLUMNS = [
    "benchmark", "model", "metric", "value", "low", "high", "n", "of", "judged", "reason", "against",
    "difference", "difference_low", "difference_high", "shared", "p", "holm_p", "note",
]  # fmt: skip
_ROW = 0.4  # inches: two lines of letters
_KEY = f"\n{MARK} beyond chance, Holm's correction;\nhollow: not"


@dataclass(frozen=True)
class Row:
    """A score, what its model is called and drawn with, and its difference to the first model."""

    score: Score
    label: str
    colour: Pair
    marker: str
    apart: Difference | None

    @property
    def value(self) -> float | None:
        return self.score.value

    @property
    def interval(self) -> Sequence[float]:
        return self.score.interval or (self.score.value, self.score.value)


def _models(spec: Mapping[str, Any]) -> dict[str, str]:
    listed = spec.get("models")
    if not isinstance(listed, list):
        raise UserError("--spec: models: a list of {name, label}, in the order of the rows")
    return {entry["name"]: entry["label"] for entry in listed}


def _rows(
    spec: Mapping[str, Any],
    found: Sequence[Score],
    looks: Mapping[str, tuple[Pair, str]],
) -> list[Row]:
    """By benchmark, and then in the order of ``spec["models"]``; ``looks``: colour and marker by
    model or, for bits per byte, by kind."""
    models = _models(spec)
    for score in found:
        if score.model not in models:
            raise UserError(f"--spec: models: none is called '{score.model}'")
    order = list(models)
    first = {score.benchmark: score for score in found if score.model == order[0]}
    rows = []
    for score in sorted(found, key=lambda x: (x.benchmark, order.index(x.model))):
        other = first.get(score.benchmark)
        colour, marker = looks[BITS.get(score.benchmark, score.model)]
        apart = None if other is score else difference(score, other)
        rows.append(Row(score, models[score.model], colour, marker, apart))
    return _corrected(rows)


def _corrected(rows: Sequence[Row]) -> list[Row]:
    """Each model's differences by Holm's correction over its benchmarks."""
    families: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row.apart:
            families.setdefault(row.score.model, []).append(number)
    found = list(rows)
    for numbers in families.values():
        differences = [apart for number in numbers if (apart := rows[number].apart)]
        for number, apart in zip(numbers, corrected(differences), strict=True):
            found[number] = replace(rows[number], apart=apart)
    return found


def _csv(out: Path, spec: Mapping[str, Any], rows: Sequence[Row]) -> None:
    first, lines = next(iter(_models(spec)), None), []
    for row in rows:
        score, apart = row.score, row.apart
        low, high = score.interval or (None, None)
        paired: list[Any] = [None] * 7
        if apart:
            paired = [first, apart.mean, apart.low, apart.high, apart.n, apart.p_value, apart.holm]
        note = "; ".join(caveats.all_caveats(score)) or None
        own = [score.benchmark, score.model, score.metric, score.value, low, high]
        asked = [score.n, score.of, score.judged, score.reason]
        lines.append([*own, *asked, *paired, note])
    write_csv(out, _COLUMNS, lines)


def _described(rows: Sequence[Row], bits: bool) -> str:
    parts = []
    for row in rows:
        score = row.score
        name = f"{score.benchmark.replace('_', ' ')}, {row.label}"
        if row.value is None:
            parts.append(f"{name}: not judged ({score.reason})")
            continue
        words = f"{name}: {row.value:.4g}"
        if score.interval:
            words += f", interval {row.interval[0]:.4g} to {row.interval[1]:.4g}"
        words += f", n {score.n} of {score.of}"
        if row.apart:
            words += f", against the start {row.apart.words(1, 3) if bits else row.apart.words()}"
        if note := "; ".join(caveats.all_caveats(score)):
            words += f" ({note})"
        parts.append(words)
    return "; ".join(parts) + "."


def _nothing(style: Style, out: Path, title: str) -> None:
    """A recipe may run none of these benchmarks: the figure says so instead of failing the run."""
    figure = canvas(style, 0.6)
    figure.text(0.5, 0.5, "no such benchmark was run and judged", ha="center", va="center")
    save(figure, out, style, title, "No such benchmark was run and judged.", {})


def _point(
    axes: Any, y: float, row: Row, values: Sequence[float], thin: bool, face: str | None = None
) -> None:
    """``values``: low, middle, high; ``face`` fills the marker in place of its own colour."""
    low, middle, high = values
    colour = row.colour[0]
    look = {"linewidth": 1, "alpha": 0.45} if thin else {"linewidth": 2.4}
    axes.plot([low, high], [y, y], color=colour, solid_capstyle="round", **look)
    axes.plot(middle, y, row.marker, color=colour, markersize=6.5, markerfacecolor=face or colour)


def _beside(axes: Any, style: Style, y: float, text: str) -> None:
    """Words to the right of the panel, where no interval runs through them."""
    axes.annotate(
        text, (1, y), xycoords=("axes fraction", "data"), xytext=(5, 0),
        textcoords="offset points", va="center", fontsize=style.font_size - 1,
        annotation_clip=False,
    )  # fmt: skip


def _panel(
    axes: Any, style: Style, groups: Sequence[tuple[str, Sequence[Row]]], scale: float, paired: bool
) -> None:
    """Rows below the headings of their groups, from above."""
    y, ticks = 0.0, []
    digits = 3 if scale == 1 else 1
    for heading, rows in groups:
        axes.annotate(
            heading, (0, y), xycoords=("axes fraction", "data"), weight="bold", va="center",
            xytext=(3, 0), textcoords="offset points", annotation_clip=False,
            bbox={"facecolor": style.paper[0], "edgecolor": "none", "pad": 1},
        )  # fmt: skip
        y += 1
        for row in rows:
            ticks.append((y, row.label.replace(" (", "\n(")))
            if paired:
                assert row.apart is not None
                values = [scale * x for x in (row.apart.low, row.apart.mean, row.apart.high)]
                mark = row.apart.mark
                _point(axes, y, row, values, thin=False, face=None if mark else style.paper[0])
                less = "" if row.apart.whole else f"\non {row.apart.n}"
                _beside(axes, style, y, f"{values[1]:+.{digits}f}{mark}{less}")
            elif row.value is None:
                _beside(axes, style, y, "not\njudged")
            else:
                values = [scale * x for x in (row.interval[0], row.value, row.interval[1])]
                _point(axes, y, row, values, thin=True)
                count = row.score.responses.empty
                blank = f"\n{count} empty" if count else ""
                _beside(axes, style, y, f"{values[1]:.{digits}f}{blank}")
            y += 1
        y += 0.2
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.set_ylim(y - 0.6, -0.7)
    axes.grid(visible=False, axis="y")
    if paired:
        axes.axvline(0, color=style.ink[0], linewidth=1)


def _height(groups: Sequence[tuple[str, Sequence[Row]]]) -> float:
    return _ROW * sum(1.2 + len(rows) for _, rows in groups) + 0.85


def _draw(
    style: Style, groups: Sequence[tuple[str, list[Row]]], scale: float, words: tuple[str, str]
) -> tuple[Any, Any]:
    """The figure and the panel of scores; ``words``: what the axes of scores and of differences say."""
    apart = [(heading, [row for row in rows if row.apart]) for heading, rows in groups]
    apart = [(heading, rows) for heading, rows in apart if rows]
    panels = [groups, apart] if apart else [groups]
    heights = [_height(listed) for listed in panels]
    figure = canvas(style, sum(heights) + 0.2)
    made = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, listed, paired, label in zip(made, panels, (False, True), words, strict=False):
        _panel(axes, style, listed, scale, paired)
        axes.set_xlabel(label)
    return figure, made[0]


def write_bits(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """Bits per byte of what was held out, code, text and the assistant's words in conversations, and
    what each model needs more than the start."""
    style, chosen = Style.parse(spec), colours(spec, ["code", "text"])
    found = [score for score in read_scores(paths) if score.benchmark in BITS]
    # Conversations are of both kinds, so that they have the colour of neither.
    looks = {
        kind: (chosen.get(kind, style.ink), marker)
        for kind, marker in zip(BITS.values(), "os^", strict=True)
    }
    rows = _rows(spec, found, looks)
    title = "Bits per byte of what was held out"
    _csv(out, spec, rows)
    if not any(row.value is not None for row in rows):
        _nothing(style, out, title)
        return
    groups = [
        (f"held-out {kind}", [row for row in rows if row.score.benchmark == name])
        for name, kind in BITS.items()
    ]
    groups = [(heading, mine) for heading, mine in groups if mine]
    first = next(iter(_models(spec).values()))
    words = (
        "bits per byte (lower is better)",
        f"minus {first}, same documents,\n95% interval (below 0 is better){_KEY}",
    )
    figure, _ = _draw(style, groups, 1, words)
    save(figure, out, style, title, _described(rows, bits=True), chosen)


def write_scores(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """Benchmark scores in percent, a group a benchmark, and the differences to the start."""
    style = Style.parse(spec)
    names = list(_models(spec))
    own = [name for name in names if name in spec.get("colours", {})]
    chosen = colours(spec, own)
    # A published model that is scored beside a recipe's own has no colour of its own.
    looks = {name: (chosen.get(name, style.ink), "Dos^vP*"[k % 7]) for k, name in enumerate(names)}
    found = [score for score in read_scores(paths) if score.benchmark not in BITS]
    rows = _rows(spec, found, looks)
    title = "Benchmark scores of this recipe"
    _csv(out, spec, rows)
    if not rows:
        _nothing(style, out, title)
        return
    groups = []
    for benchmark in dict.fromkeys(row.score.benchmark for row in rows):
        mine = [row for row in rows if row.score.benchmark == benchmark]
        asked = mine[0].score
        name, total = NAMES.get(benchmark, benchmark), f"n={asked.n} of {asked.of}"
        groups.append((f"{name} ({asked.metric}, {total})", mine))
    first = next(iter(_models(spec).values()))
    words = (
        "percent, 95% interval of each alone",
        f"minus {first}, same problems,\npercentage points, 95% interval{_KEY}",
    )
    figure, axes = _draw(style, groups, 100, words)
    highest = max([100 * row.interval[1] for row in rows if row.value is not None] or [0])
    axes.set_xlim(-1, max(10.0, min(102.0, highest * 1.1)))
    save(figure, out, style, title, _described(rows, bits=False), chosen)
