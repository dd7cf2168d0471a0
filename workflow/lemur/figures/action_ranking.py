"""Do bits per byte of agents' actions rank models as their success does?

Bits per byte move on models that solve nothing; this is whether they may stand for success. Success is
that of MINT without feedback, pooled over its sets, as the original counts: of the authors' records where
a model has them, else as this recipe has played it.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lemur.agents import outcomes
from lemur.agents.judged import Result
from lemur.agents.rates import Rate
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.evaluation import intervals
from lemur.evaluation.score import read_scores
from lemur.figures.inputs import write_csv
from lemur.figures.live_agents import read_results
from lemur.figures.paired import coded
from lemur.figures.style import Style, canvas, save

ENVIRONMENT = "mint"
LEAST = 5  # models: fewer can be in any order by chance more than once in twenty times
EXACT = 7  # models whose every order is looked at
DRAWS = 20_000  # orders that are drawn of more
RECORDED, PLAYED = "recorded", "played"
_COLUMNS = [
    "model", "bits_per_byte", "bits_low", "bits_high", "actions", "bytes", "source", "episodes", "solved",
    "percent", "low", "high",
]  # fmt: skip


@dataclass(frozen=True)
class Ranked:
    """A model with both: bits per byte of the same actions (with a 95 % interval by the bootstrap over
    actions), and its success with where that is from."""

    label: str
    bits: float
    interval: tuple[float, float]
    actions: int
    bytes: int
    rate: Rate
    source: str


@dataclass(frozen=True)
class Ranking:
    """``tau``: Kendall's tau-b of success with negative bits per byte, 1 where both rank alike (None
    where one of them does not tell any two models apart). ``p``: the share of all orders of the models
    whose tau is at least that."""

    tau: float | None
    p: float | None


def recorded_rates(found: Sequence[outcomes.Outcome]) -> dict[str, Rate]:
    """Success of each recorded model without feedback, over all episodes."""
    solved: dict[str, list[int]] = {}
    for outcome in found:
        if outcome.feedback == "none":
            solved.setdefault(outcome.model, []).append(int(bool(outcome.solved)))
    return {model: Rate(sum(values), len(values)) for model, values in solved.items()}


def played_rates(results: Sequence[Result]) -> dict[str, Rate]:
    """The same of what was played here: MINT's episodes that count, without a teacher."""
    solved: dict[str, list[bool]] = {}
    for result in results:
        if result.environment == ENVIRONMENT and not result.settings.get("feedback"):
            solved.setdefault(result.model, []).extend(result.solved("paper").values())
    return {model: Rate(sum(values), len(values)) for model, values in solved.items() if values}


def ranked(
    spec: Mapping[str, Any], scores: Sequence[Path], played: Sequence[Path], counted: Path
) -> tuple[list[Ranked], list[str]]:
    """Models with both numbers, in the order of ``spec["models"]``, and what the others lack."""
    listed = {entry["name"]: entry["label"] for entry in spec["models"]}
    names: Mapping[str, str] = spec["recorded"]  # {model: its name in the records}
    records = recorded_rates(outcomes.read(counted))
    lived = played_rates(read_results(spec, played))
    found = {
        score.model: coded(score.path) for score in read_scores(scores) if score.value is not None
    }
    if apart := found.keys() - listed.keys():
        raise UserError(f"scores.json of '{min(apart)}', which --spec's models do not name")
    made, lacking = [], []
    for model, label in listed.items():
        recorded = records.get(names.get(model, ""))
        rate = recorded or lived.get(model)
        if model not in found or rate is None:
            what = "its actions are not scored" if model not in found else "nobody has played it"
            lacking.append(f"{label}: {what}")
            continue
        bits, sizes = zip(*found[model].values(), strict=True)
        made.append(
            Ranked(
                label=label,
                bits=sum(bits) / sum(sizes),
                interval=intervals.bootstrap_ratio(bits, sizes),
                actions=len(bits),
                bytes=sum(sizes),
                rate=rate,
                source=RECORDED if recorded else PLAYED,
            )
        )
    return made, lacking


def tau_b(first: np.ndarray, second: np.ndarray) -> float | None:
    """Kendall's tau-b (Kendall 1945), which allows for ties."""
    signs, others = (np.sign(values[:, None] - values[None, :]) for values in (first, second))
    scale = float(np.sqrt((signs**2).sum() * (others**2).sum()))
    return float((signs * others).sum()) / scale if scale else None


def rank(models: Sequence[Ranked], seed: int) -> Ranking:
    """How far both rank alike, and how often an order by chance does as much."""
    success = np.array([model.rate.percent for model in models])
    cheapness = -np.array([model.bits for model in models])
    tau = tau_b(success, cheapness) if len(models) > 1 else None
    if tau is None:
        return Ranking(None, None)
    if len(models) <= EXACT:
        orders = list(itertools.permutations(range(len(models))))
    else:
        draw = np.random.default_rng(seed)
        orders = [tuple(draw.permutation(len(models))) for _ in range(DRAWS)]
    taus = [tau_b(success, cheapness[list(order)]) or 0.0 for order in orders]
    reached = sum(value >= tau - 1e-12 for value in taus)
    # An order that was drawn is one of those that chance could have given, the observed one too.
    return Ranking(tau, reached / len(taus) if len(models) <= EXACT else (reached + 1) / (len(taus) + 1))  # fmt: skip


def verdict(models: Sequence[Ranked], found: Ranking) -> str:
    """The answer in a sentence."""
    if len(models) < LEAST:
        return (
            f"Unproved: {len(models)} models have both numbers, and at least {LEAST} are needed: "
            "that actions cost a model fewer bits does not yet say that it solves more."
        )
    if found.tau is None or found.p is None:
        return "Unproved: all models solve as much as each other, so that there is nothing to rank."
    said = f"Kendall's tau is {found.tau:.2f} over {len(models)} models, p = {found.p:.3f}"
    if found.tau > 0 and found.p < 0.05:
        return f"Bits per byte of actions rank these models as their success does: {said}."
    return f"Unproved: {said}, which an order by chance may give."


def write(
    spec: Mapping[str, Any],
    scores: Sequence[Path],
    played: Sequence[Path],
    counted: Path,
    out: Path,
) -> None:
    """The figure, its data as CSV, and the verdict with every model as text, beside ``out`` (.svg)."""
    models, lacking = ranked(spec, scores, played, counted)
    said = verdict(models, rank(models, spec["seed"]))
    style = Style.parse(spec)
    figure = canvas(style, 3.6)
    axes = figure.subplots()
    words = []
    for number, model in enumerate(models):
        low, high = model.rate.interval
        percent = model.rate.percent
        axes.errorbar(
            model.bits, percent,
            xerr=[[model.bits - model.interval[0]], [model.interval[1] - model.bits]],
            yerr=[[percent - low], [high - percent]],
            color=style.ink[0], linewidth=1, marker="Dos^vP*"[number % 7], markersize=5,
            markerfacecolor="none" if model.source == PLAYED else style.ink[0],
        )  # fmt: skip
        axes.annotate(model.label, (model.bits, percent), xytext=(6, 4), textcoords="offset points")
        words.append(
            f"{model.label}: {model.bits:.3f} bits per byte, {percent:.1f} percent of "
            f"{model.rate.total} episodes solved ({model.source})"
        )
    axes.set_xlabel("bits per byte of actions of solved episodes (lower is better)")
    axes.set_ylabel("percent of MINT's episodes solved")
    axes.set_ylim(0, 100)
    axes.margins(x=0.2)
    if not models:
        axes.text(0.5, 0.5, "no model has both numbers", ha="center", transform=axes.transAxes)
    save(
        figure,
        out,
        style,
        "Bits per byte of actions against success",
        f"{'; '.join([*words, said])}",
        {},
    )
    write_csv(
        out,
        _COLUMNS,
        [
            [model.label, model.bits, *model.interval, model.actions, model.bytes, model.source,
             model.rate.total, model.rate.solved, model.rate.percent, *model.rate.interval]
            for model in models
        ],
    )  # fmt: skip
    missing = ["Left out:", *(f"  {line}" for line in lacking)] if lacking else []
    write_text(
        out.with_suffix(".txt"), "\n".join([said, *(f"  {line}" for line in words), *missing, ""])
    )
