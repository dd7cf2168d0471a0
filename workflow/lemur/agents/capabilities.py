"""Rows of the paper's tables of agents: from records, as printed, and as a recipe's own models played.

A row is one model on one axis of the radar (``live_axes.PARTS``): a number for each part of the axis,
and what the episodes behind them ended with, in how many turns and tokens.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lemur.agents.axes import MODELS, Label
from lemur.agents.judged import Judged, Result
from lemur.agents.live_axes import MEAN, PARTS, LiveLabel, Part
from lemur.agents.outcomes import NO_TAG, Outcome
from lemur.agents.rates import Rate

PRINTED_NAMES = {recorded: printed for printed, recorded in MODELS.items()}
PARTLY = "some of its parts"


@dataclass(frozen=True)
class Ended:
    """Of several episodes: how many ended for which reason, and the means of turns, cells that were run
    and tokens that the model said; None where nothing counted them."""

    reasons: Mapping[str, int]
    turns: float
    tokens: float
    cells: float | None = None


@dataclass(frozen=True)
class Row:
    """``values`` holds percent by part, where there is something; ``value`` is the axis' own, where it
    has all its parts; ``note`` says what the numbers rest on."""

    model: str
    values: Mapping[str, float]
    value: float | None
    interval: tuple[float, float] | None
    episodes: int
    printed: float | None
    mark: str
    note: str
    ended: Ended | None


def pool(rates: Iterable[Rate]) -> Rate:
    """All episodes as one set."""
    listed = list(rates)
    return Rate(sum(rate.solved for rate in listed), sum(rate.total for rate in listed))


def ended_recorded(outcomes: Sequence[Outcome]) -> Ended:
    """Of recorded episodes."""
    count = len(outcomes)
    return Ended(
        Counter(outcome.end for outcome in outcomes),
        sum(outcome.turns for outcome in outcomes) / count,
        sum(outcome.tokens for outcome in outcomes) / count,
        sum(outcome.cells for outcome in outcomes) / count,
    )


def ended_live(judged: Sequence[Judged]) -> Ended:
    """Of episodes of this recipe; as in the records, one whose turns ran out without a tag is named so."""
    reasons: Counter[str] = Counter()
    for attempt in judged:
        turns = attempt.episode.turns
        counts = turns[-1].info.get("counts", {}) if turns else {}
        silent = bool(turns) and counts.get("invalid") == len(turns)
        reasons[
            NO_TAG if silent and attempt.episode.end == "out of turns" else attempt.episode.end
        ] += 1
    count = len(judged)
    turns = sum(len(attempt.episode.turns) for attempt in judged) / count
    return Ended(reasons, turns, sum(attempt.episode.tokens for attempt in judged) / count)


def _of_part(part: Part, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """One model's recorded episodes of a part of an axis: MINT's alone are recorded."""
    environment, name = part.places[0]
    feedback = "gpt-4" if part.feedback else "none"
    if environment != "mint":
        return []
    return [outcome for outcome in outcomes if (outcome.task, outcome.feedback) == (name, feedback)]


def recorded_rows(
    axis: str,
    outcomes: Sequence[Outcome],
    labels: Mapping[tuple[str, str], Label],
    parts: Mapping[tuple[str, str], float],
) -> list[Row]:
    """Every model that the records or the printed ``parts`` hold. ``labels`` are the radar's by (axis,
    model as printed); a part that is printed and not recorded is shown as printed."""
    how, listed = PARTS[axis]
    by_model: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_model.setdefault(outcome.model, []).append(outcome)
    named = {PRINTED_NAMES.get(model, model): mine for model, mine in by_model.items()}
    rows = []
    for model in dict.fromkeys([*named, *(name for name, _ in parts)]):
        mine = {part.name: _of_part(part, named.get(model, [])) for part in listed}
        mine = {name: found for name, found in mine.items() if found}
        rates = {
            name: Rate(sum(record.solved for record in found), len(found))
            for name, found in mine.items()
        }
        values = {name: rate.percent for name, rate in rates.items()}
        transcribed = [p.name for p in listed if p.name not in values and (model, p.name) in parts]
        values |= {name: parts[model, name] for name in transcribed}
        if not values:
            continue
        label = labels.get((axis, model))
        value, interval = None, None
        if len(rates) == len(listed) and how != MEAN:
            value, interval = pool(rates.values()).percent, pool(rates.values()).interval
        elif len(values) == len(listed):
            value = sum(values.values()) / len(values)
        if label is not None:
            mark, note = label.mark, label.note
        else:
            mark = "as printed" if transcribed else "counted"
            missing = [part.name for part in listed if part.name not in values]
            note = f"{PARTLY}: no records of {', '.join(missing)}" if missing else ""
        found = [record for several in mine.values() for record in several]
        rows.append(
            Row(
                model, values, value, interval, len(found), label.printed if label else None, mark, note,
                ended_recorded(found) if found else None,
            )
        )  # fmt: skip
    return rows


def live_rows(axis: str, labels: Sequence[LiveLabel]) -> list[Row]:
    """This recipe's models that played a part of the axis; ``labels`` as from ``live_labels``."""
    rows = []
    for label in labels:
        if label.axis != axis:
            continue
        chosen = [attempt for played in label.played for attempt in played.judged]
        values = {entry.part.name: entry.rate.percent for entry in label.played}
        mark = "played whole" if label.whole else "played in part"
        rows.append(
            Row(label.model, values, label.value, label.interval,
                sum(entry.rate.total for entry in label.played), None, mark, label.note, ended_live(chosen))
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Pair:
    """One model on the same tasks without and with feedback."""

    model: str
    without: Mapping[str, bool]  # task to whether it was solved
    taught: Mapping[str, bool]
    ended: tuple[Ended, Ended]

    @property
    def shared(self) -> list[str]:
        """The tasks of both."""
        return [task for task in self.without if task in self.taught]


def recorded_pairs(category: str, outcomes: Sequence[Outcome]) -> list[Pair]:
    """Models that were recorded both ways, over all sets of a MINT category."""
    found: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in outcomes:
        if outcome.category == category:
            found.setdefault(outcome.model, {}).setdefault(outcome.feedback, []).append(outcome)
    pairs = []
    for model, by_feedback in found.items():
        if len(by_feedback) == 2:
            sides = by_feedback["none"], by_feedback["gpt-4"]
            without, taught = (
                {f"{record.task}/{record.episode}": bool(record.solved) for record in side}
                for side in sides
            )
            ended = ended_recorded(sides[0]), ended_recorded(sides[1])
            pairs.append(Pair(PRINTED_NAMES.get(model, model), without, taught, ended))
    return pairs


def live_pairs(sets: Sequence[str], results: Sequence[Result]) -> list[Pair]:
    """The same of this recipe's models, where it plays MINT's ``sets`` both ways."""
    sides: dict[str, dict[bool, list[Judged]]] = {}
    for result in results:
        if result.environment == "mint" and not result.known_solutions:
            place = sides.setdefault(result.model, {}).setdefault(
                bool(result.settings.get("feedback")), []
            )
            place += [
                attempt
                for attempt in result.counted
                if attempt.episode.task.partition("/")[0] in sets
            ]
    pairs = []
    for model, both in sides.items():
        if both.get(False) and both.get(True):
            without, taught = (
                {attempt.episode.task: attempt.verdict.paper == 1 for attempt in both[side]}
                for side in (False, True)
            )
            pairs.append(
                Pair(model, without, taught, (ended_live(both[False]), ended_live(both[True])))
            )
    return pairs
