"""Success against turns, as MINT draws it: the share of episodes that were solved by turn k.

The curve counts as the original does, since that is what published curves are; where the strict
count is another one, it is drawn dotted beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from lemur.agents.judged import Result
from lemur.agents.rates import Rate
from lemur.evaluation import intervals
from lemur.figures.inputs import write_csv
from lemur.figures.live_agents import name_environment, players, read_results
from lemur.figures.style import Pair, Style, canvas, colours, save

_PANEL = 1.75  # inches
_COLUMNS = [
    "environment", "player", "known_solutions", "turn", "episodes", "solved", "percent", "low", "high",
    "strict_solved", "strict_percent", "slope", "slope_low", "slope_high",
]  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """One player in one environment.

    ``rates`` and ``strict``: solved by turn 1, 2, ... as the original counts and strictly. ``slope``:
    percentage points a turn of the least-squares line through ``rates``, with its 95 % interval by
    the bootstrap over episodes; None where there is one turn alone.
    """

    result: Result
    rates: tuple[Rate, ...]
    strict: tuple[Rate, ...]
    slope: tuple[float, float, float] | None


def limit_of_turns(results: Sequence[Result]) -> int:
    """To which turn the curves of one environment go: its setting, else the longest episode."""
    lengths = [len(attempt.episode.turns) for result in results for attempt in result.counted]
    given = [result.settings.get("turns") for result in results]
    return max([1, *lengths, *(turns for turns in given if isinstance(turns, int))])


def curve(result: Result, last: int) -> Curve | None:
    """The curve up to turn ``last``; None where no episode counts."""
    counted = result.counted
    if not counted:
        return None
    turns = np.arange(1, last + 1)
    lengths = np.array([len(attempt.episode.turns) for attempt in counted])
    by_rule = {}
    for rule in ("paper", "strict"):
        solved = np.array([getattr(attempt.verdict, rule) == 1 for attempt in counted])
        by_rule[rule] = (lengths[:, None] <= turns) & solved[:, None]
    rates = {
        rule: tuple(Rate(int(count), len(counted)) for count in table.sum(0))
        for rule, table in by_rule.items()
    }
    slope = points_a_turn(by_rule["paper"]) if last > 1 else None
    return Curve(result, rates["paper"], rates["strict"], slope)


def points_a_turn(solved: np.ndarray) -> tuple[float, float, float]:
    """Percentage points a turn of the least-squares line, with its 95 % interval by the bootstrap over
    episodes. ``solved``: [episodes, turns], whether each was solved by that turn; two turns at least."""
    # Least squares is linear in each episode's own steps, so that the slope of the mean is the
    # mean of the episodes' slopes.
    turns = np.arange(1, solved.shape[1] + 1)
    centred = turns - turns.mean()
    own = 100 * (solved * centred).sum(1) / (centred**2).sum()
    return (float(own.mean()), *intervals.bootstrap_mean(list(own)))


@dataclass(frozen=True)
class Look:
    """How a player's line is drawn; ``marker`` is empty of the known solutions, which are dashed."""

    pair: Pair
    marker: str = ""

    def plot(
        self, axes: Axes, turns: Sequence[int], values: Sequence[float], **more: Any
    ) -> Line2D:
        """The line in ``axes``."""
        if self.marker:
            more |= {"marker": self.marker, "markersize": 5}
        else:
            more |= {"linestyle": (0, (4, 3)), "linewidth": 1.2}
        (line,) = axes.plot(turns, values, color=self.pair[0], **more)
        return line


def _draw(axes: Axes, made: Curve, look: Look) -> None:
    turns = range(1, len(made.rates) + 1)
    values = [rate.percent for rate in made.rates]
    # A line through one point is nothing: where there is one turn alone, known solutions are a dash.
    alone = len(values) == 1 and not look.marker
    dash: Any = {"marker": "_", "markersize": 14} if alone else {}
    look.plot(axes, turns, values, clip_on=False, zorder=3, **dash)
    if made.result.known_solutions:
        return
    colour = look.pair[0]
    low, high = zip(*(rate.interval for rate in made.rates), strict=True)
    axes.fill_between(turns, low, high, color=colour, alpha=0.13, linewidth=0)
    strict = [rate.percent for rate in made.strict]
    if strict != values:
        axes.plot(turns, strict, color=colour, linestyle=":", linewidth=1.2, zorder=3)


def _described(name: str, label: str, made: Curve | None) -> str:
    if made is None:
        return f"{name}, {label}: no episode could be played"
    steps = ", ".join(f"{rate.percent:.1f}" for rate in made.rates)
    low, high = made.rates[-1].interval
    words = f"{name}, {label}: {steps} percent of {made.rates[0].total} episodes by turn 1 to "
    words += f"{len(made.rates)}, interval at the last {low:.1f} to {high:.1f}"
    if made.strict[-1] != made.rates[-1]:
        words += f", strictly {made.strict[-1].percent:.1f}"
    if made.slope:
        value, low, high = made.slope
        words += f", slope {value:.1f} points a turn ({low:.1f} to {high:.1f})"
    return words


def _rows(made: Curve) -> list[list[Any]]:
    first = [made.result.name, made.result.model, "yes" if made.result.known_solutions else "no"]
    slope = made.slope or (None, None, None)
    return [
        [*first, turn, rate.total, rate.solved, rate.percent, *rate.interval, strict.solved,
         strict.percent, *slope]
        for turn, (rate, strict) in enumerate(zip(made.rates, made.strict, strict=True), 1)
    ]  # fmt: skip


def write(spec: Mapping[str, Any], paths: Sequence[Path], out: Path) -> None:
    """A panel an environment, a curve a player; the known solutions are a line of their own kind."""
    style, named = Style.parse(spec), players(spec)
    found = read_results(spec, paths)
    chosen = colours(spec, [name for name in named if name in spec.get("colours", {})])
    looks = _looks(list(named), chosen, style)
    environments = list(dict.fromkeys(result.name for result in found))
    figure = canvas(style, _PANEL * max(1, len(environments)) + 0.7 + 0.2 * len(named))
    panels = figure.subplots(max(1, len(environments)), 1, squeeze=False)[:, 0]
    words, rows, handles = [], [], {}
    for axes, name in zip(panels, environments, strict=False):
        mine = [result for result in found if result.name == name]
        last = limit_of_turns(mine)
        made = {result.model: curve(result, last) for result in mine}
        for result in mine:
            drawn = made[result.model]
            words.append(_described(name_environment(result), named[result.model], drawn))
            if drawn is not None:
                _draw(axes, drawn, looks[result.model])
                rows += _rows(drawn)
        counts = sorted({reached.rates[0].total for reached in made.values() if reached})
        shown = " or ".join(map(str, counts)) or "no"
        plural = "" if counts == [1] else "s"
        axes.set_title(f"{name_environment(mine[0])}, {shown} episode{plural}", loc="left")
        if not counts:
            axes.text(0.5, 0.5, "no episode could be played here", ha="center", va="center",
                      transform=axes.transAxes)  # fmt: skip
        axes.set_xlim(0.9, last + 0.1)
        axes.set_ylim(0, 100)
        axes.set_yticks([0, 50, 100])
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
        for result in mine:
            handles.setdefault(named[result.model], looks[result.model].plot(axes, [], []))
    panels[-1].set_xlabel("solved by turn k\n(dotted: strictly judged, where that differs)")
    figure.supylabel("percent of episodes", fontsize=style.font_size)
    figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=1)
    title = "Success of this recipe's agents against turns"
    save(figure, out, style, title, "; ".join(words) + ".", chosen)
    write_csv(out, _COLUMNS, rows)


def _looks(names: Sequence[str], chosen: Mapping[str, Pair], style: Style) -> dict[str, Look]:
    """Of each player. A published model has no colour of its own, but a marker."""
    return {
        name: Look(style.muted)
        if name == "gold"
        else Look(chosen.get(name, style.ink), "Dos^vP*"[number % 7])
        for number, name in enumerate(names)
    }
