"""Success against turns of MINT's recorded episodes, with and without feedback, as MINT draws it.

An episode counts from the turn in which it was solved. MINT plays anew for each limit of turns, and tells
the model how many are left; the records are those of the limit five, so that a curve is what had been
solved by turn k of five.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from lemur.agents import outcomes
from lemur.agents.outcomes import Outcome
from lemur.agents.rates import Rate
from lemur.figures.inputs import write_csv
from lemur.figures.live_agents_by_turn import points_a_turn
from lemur.figures.style import Style, canvas, colours, save

TURNS = 5
ALL = "all"
_PANEL = 2.3  # inches
_COLUMNS = [
    "model", "feedback", "category", "turn", "episodes", "solved", "percent", "low", "high",
    "slope", "slope_low", "slope_high",
]  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """``rates``: solved by turn 1, 2, ... of five. ``slope``: percentage points a turn, with its 95 %
    interval by the bootstrap over episodes."""

    rates: tuple[Rate, ...]
    slope: tuple[float, float, float]


def curve(episodes: Sequence[Outcome]) -> Curve:
    """One model's episodes with one kind of feedback."""
    solved = np.array([bool(episode.solved) for episode in episodes])
    lengths = np.array([episode.turns for episode in episodes])
    table = (lengths[:, None] <= np.arange(1, TURNS + 1)) & solved[:, None]
    rates = tuple(Rate(int(count), len(episodes)) for count in table.sum(0))
    return Curve(rates, points_a_turn(table))


def curves(found: Sequence[Outcome]) -> dict[tuple[str, str, str], Curve]:
    """By model, feedback and category; ``ALL`` pools a model's episodes, as the paper's figure does."""
    grouped: dict[tuple[str, str, str], list[Outcome]] = {}
    for outcome in found:
        for category in (ALL, outcome.category):
            key = outcome.model, outcome.feedback, category
            grouped.setdefault(key, []).append(outcome)
    return {key: curve(grouped[key]) for key in sorted(grouped)}


def write(spec: Mapping[str, Any], table: Path, out: Path) -> None:
    """A panel for each kind of feedback, a curve a model; categories are in the data beside it."""
    made = curves(outcomes.read(table))
    models = list(dict.fromkeys(model for model, _, _ in made))
    kinds = sorted({feedback for _, feedback, _ in made}, key=lambda kind: (kind != "none", kind))
    style, chosen = Style.parse(spec), colours(spec, models)
    figure = canvas(style, _PANEL * len(kinds) + 1.2)
    panels = figure.subplots(len(kinds), 1, squeeze=False)[:, 0]
    words, handles = [], {}
    for axes, kind in zip(panels, kinds, strict=True):
        told = "without feedback" if kind == "none" else f"with feedback by {kind}"
        counts = set()
        for number, model in enumerate(models):
            drawn = made.get((model, kind, ALL))
            if drawn is None:
                continue
            counts.add(drawn.rates[0].total)
            values = [rate.percent for rate in drawn.rates]
            low, high = zip(*(rate.interval for rate in drawn.rates), strict=True)
            colour, turns = chosen[model][0], range(1, TURNS + 1)
            (line,) = axes.plot(turns, values, color=colour, marker="Dos^vP"[number % 6],
                                markersize=4, zorder=3)  # fmt: skip
            axes.fill_between(turns, low, high, color=colour, alpha=0.1, linewidth=0)
            handles[model] = line
            value, least, most = drawn.slope
            words.append(
                f"{model} {told}: {', '.join(f'{each:.1f}' for each in values)} percent by turn 1 to "
                f"{TURNS}, slope {value:.1f} points a turn ({least:.1f} to {most:.1f})"
            )
        shown = " or ".join(map(str, sorted(counts)))
        axes.set_title(f"{told}, {shown} episodes a model", loc="left")
        axes.set_xlim(0.9, TURNS + 0.1)
        axes.set_ylim(0, 100)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[-1].set_xlabel(f"solved by turn k of {TURNS}")
    figure.supylabel("percent of episodes", fontsize=style.font_size)
    figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=2)
    title = "Success of MINT's recorded agents against turns"
    save(figure, out, style, title, "; ".join(words) + ".", chosen)
    rows = [
        [*key, turn, rate.total, rate.solved, rate.percent, *rate.interval, *drawn.slope]
        for key, drawn in made.items()
        for turn, rate in enumerate(drawn.rates, 1)
    ]
    write_csv(out, _COLUMNS, rows)
