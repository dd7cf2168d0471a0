"""Do bits per byte of agents' actions rank models as their success does?

Bits per byte move on models that solve nothing; this is whether they may stand for success. Success is
that of MINT without feedback, pooled over its sets, as the original counts: of the authors' records where
a model has them, else as this recipe has played the same tasks with the same turns. Actions are of other
environments: MINT's were said by Lemur-70B-Chat, which is one of those who are ranked.
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
from lemur.figures.paired import Name, coded
from lemur.figures.style import Style, canvas, save

ENVIRONMENT = "mint"
TURNS = 5  # of the records
LEAST = 5  # models: of four even the same order, or its reverse, is there by chance once in twelve times
EXACT = 7  # models whose every order is looked at
DRAWS = 20_000  # orders that are drawn of more
RECORDED, PLAYED = "recorded", "played"
_COLUMNS = [
    "model", "bits_per_byte", "bits_low", "bits_high", "actions", "source", "episodes", "solved", "percent",
    "low", "high",
]  # fmt: skip


@dataclass(frozen=True)
class Ranked:
    """A model with both: bits per byte of the same ``actions``, the mean over environments (with a 95 %
    interval by the bootstrap over each one's actions), and its success with where that is from."""

    label: str
    bits: float
    interval: tuple[float, float]
    actions: int
    rate: Rate
    source: str


@dataclass(frozen=True)
class Ranking:
    """``tau``: Kendall's tau-b of success with negative bits per byte, 1 where both rank alike. ``p``: in
    which share of all orders of the models tau is at least as far from 0 (two-sided). Both are None
    where the models do not differ in one of the two, and ``flat`` says in which."""

    tau: float | None
    p: float | None
    flat: str = ""


def recorded_rates(found: Sequence[outcomes.Outcome]) -> dict[str, Rate]:
    """Success of each recorded model without feedback, over all episodes."""
    solved: dict[str, list[int]] = {}
    for outcome in found:
        if outcome.feedback == "none":
            solved.setdefault(outcome.model, []).append(int(bool(outcome.solved)))
    return {model: Rate(sum(values), len(values)) for model, values in solved.items()}


def played_rate(results: Sequence[Result], tasks: int) -> Rate | str:
    """The same of what a model has played here, or why it cannot stand beside the records."""
    mine = [x for x in results if x.environment == ENVIRONMENT and not x.settings.get("feedback")]
    if len(mine) != 1:
        return (
            f"it has played MINT without feedback in {len(mine)} entries"
            if mine
            else "nobody has played it"
        )
    (result,) = mine
    solved = result.solved("paper")
    if (turns := result.settings.get("turns", TURNS)) != TURNS:
        return f"it has played {turns} turns, the records have {TURNS}"
    if len(solved) != tasks:
        return f"it has played {len(solved)} of the records' {tasks} tasks"
    return Rate(sum(solved.values()), len(solved))


def bits_by_environment(
    found: Mapping[Name, tuple[float, int]],
) -> tuple[float, tuple[float, float], int]:
    """Mean over environments of bits per byte, its 95 % interval, and how many actions."""
    apart: dict[str, list[tuple[float, int]]] = {}
    for name, value in sorted(found.items()):
        environment = name[1].partition("/")[0]
        if environment != ENVIRONMENT:
            apart.setdefault(environment, []).append(value)
    if not apart:
        raise UserError("scores.json: no actions of an environment other than MINT")
    draw, drawn = np.random.default_rng(0), []
    for values in apart.values():
        bits, sizes = np.array(values, dtype=np.float64).T
        chosen = draw.integers(0, len(bits), (intervals.RESAMPLES, len(bits)))
        drawn.append(bits[chosen].sum(1) / sizes[chosen].sum(1))
    low, high = np.percentile(np.mean(drawn, axis=0), [2.5, 97.5])
    means = [
        sum(bits for bits, _ in values) / sum(size for _, size in values)
        for values in apart.values()
    ]
    return float(np.mean(means)), (float(low), float(high)), sum(map(len, apart.values()))


def ranked(
    spec: Mapping[str, Any], scores: Sequence[Path], played: Sequence[Path], counted: Path
) -> tuple[list[Ranked], list[str]]:
    """Models with both numbers, in the order of ``spec["models"]``, and what the others lack."""
    listed = {entry["name"]: entry["label"] for entry in spec["models"]}
    names: Mapping[str, str] = spec["recorded"]  # {model: its name in the records}
    records = recorded_rates(outcomes.read(counted))
    tasks = max(rate.total for rate in records.values())
    results = read_results(spec, played)
    found: dict[str, Mapping[Name, tuple[float, int]]] = {}
    for score in read_scores(scores):
        if score.model not in listed:
            raise UserError(f"scores.json of '{score.model}', which --spec's models do not name")
        if score.model in found:
            raise UserError(f"{score.path}: a second scores.json of '{score.model}'")
        if score.value is not None:
            found[score.model] = coded(score.path)
    if len({frozenset(actions) for actions in found.values()}) > 1:
        raise UserError("scores.json: the models were asked other actions than each other")
    made, lacking = [], []
    for model, label in listed.items():
        recorded = records.get(names.get(model, ""))
        rate = recorded or played_rate([x for x in results if x.model == model], tasks)
        if model not in found or isinstance(rate, str):
            what = "its actions are not scored" if model not in found else rate
            lacking.append(f"{label}: {what}")
            continue
        source = RECORDED if recorded else PLAYED
        made.append(Ranked(label, *bits_by_environment(found[model]), rate, source))
    return made, lacking


def tau_b(first: np.ndarray, second: np.ndarray) -> float | None:
    """Kendall's tau-b (Kendall 1945), which allows for ties."""
    signs, others = (np.sign(values[:, None] - values[None, :]) for values in (first, second))
    scale = float(np.sqrt((signs**2).sum() * (others**2).sum()))
    return float((signs * others).sum()) / scale if scale else None


def rank(models: Sequence[Ranked], seed: int) -> Ranking:
    """How far both rank alike, and how often an order by chance is as far from none."""
    success = np.array([model.rate.percent for model in models])
    cheapness = -np.array([model.bits for model in models])
    tau = tau_b(success, cheapness) if len(models) > 1 else None
    if tau is None:
        flat = "solve as much" if len(set(success)) < 2 else "need as many bits"
        return Ranking(None, None, flat)
    exact = len(models) <= EXACT
    if exact:
        orders = list(itertools.permutations(range(len(models))))
    else:
        draw = np.random.default_rng(seed)
        orders = [tuple(draw.permutation(len(models))) for _ in range(DRAWS)]
    taus = [tau_b(success, cheapness[list(order)]) or 0.0 for order in orders]
    reached = sum(abs(value) >= abs(tau) - 1e-12 for value in taus)
    # Where orders are drawn, the observed one is one more that chance could have given.
    return Ranking(tau, reached / len(taus) if exact else (reached + 1) / (len(taus) + 1))


def verdict(models: Sequence[Ranked], found: Ranking) -> str:
    """The answer in a sentence."""
    if len(models) < LEAST:
        return (
            f"Unproved: {len(models)} models have both numbers, and at least {LEAST} are needed: "
            "that actions cost a model fewer bits does not yet say that it solves more."
        )
    if found.tau is None or found.p is None:
        return f"Unproved: all models {found.flat} as each other, so that there is nothing to rank."
    pairs = list(itertools.combinations(models, 2))
    alike = sum((a.bits - b.bits) * (a.rate.percent - b.rate.percent) < 0 for a, b in pairs)
    said = (
        f"{alike} of {len(pairs)} pairs of models are in one order by both, Kendall's tau is "
        f"{found.tau:.2f}, p = {found.p:.3f}"
    )
    if found.p >= 0.05:
        return f"Unproved: {said}, which an order by chance may give."
    if found.tau < 0:
        return f"Refuted: who needs fewer bits for actions solves less: {said}."
    return f"Who needs fewer bits for actions solves more, beyond chance: {said}."


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
            [model.label, model.bits, *model.interval, model.actions, model.source, model.rate.total, model.rate.solved, model.rate.percent, *model.rate.interval]
            for model in models
        ],
    )  # fmt: skip
    missing = ["Left out:", *(f"  {line}" for line in lacking)] if lacking else []
    write_text(
        out.with_suffix(".txt"), "\n".join([said, *(f"  {line}" for line in words), *missing, ""])
    )
