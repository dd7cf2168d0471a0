"""What a recipe's own agents reach on the axes of the paper's radar, as far as their parts were played.

An axis is made of parts: sets of tasks in an environment. Some axes pool the episodes of their parts,
others are the mean of their parts' success rates (see ``axes``; of self-debugging the five parts are
inferred: with them the arithmetic gives what the paper prints, but nobody has published them). A part
counts as the original does, since that is what the paper's labels are. What was played with fewer
tasks or another limit of turns than the paper's is a part of an axis only, and is said to be.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lemur.agents.judged import Judged, Result
from lemur.agents.rates import Rate

POOLED, MEAN = "pooled over episodes", "mean of its parts"


@dataclass(frozen=True)
class Part:
    """``places``: (environment, set of tasks or None for all), the paper's own first. ``tasks`` and
    ``turns`` are the paper's; ``feedback``: whether a teacher speaks after a turn; ``world``: the engine
    that answered in the paper, where an environment has several."""

    name: str
    places: tuple[tuple[str, str | None], ...]
    tasks: int
    turns: int
    feedback: bool = False
    world: str | None = None


def _mint(feedback: bool, **sets: int) -> tuple[Part, ...]:
    return tuple(
        Part(f"MINT {name}", (("mint", name),), tasks, 5, feedback) for name, tasks in sets.items()
    )


_REASONING = {"gsm8k": 48, "math": 100, "theoremqa": 49, "hotpotqa": 43, "mmlu": 76}
_CODE = {"humaneval": 45, "mbpp": 91}
# Axis to how its parts become one number, and the parts.
PARTS: dict[str, tuple[str, tuple[Part, ...]]] = {
    "Tool augmentation": (POOLED, _mint(False, **_REASONING)),
    "Self-debugging": (
        MEAN,
        (
            *_mint(False, **_CODE),
            Part("RoboCodeGen", (("robocodegen", None),), 37, 5),
            Part("InterCode-SQL", (("intercode_sql", None),), 1034, 10, world="MariaDB"),
            Part("InterCode-Bash", (("intercode_bash", None),), 200, 10),
        ),
    ),
    "NL feedback on reasoning": (POOLED, _mint(True, **_REASONING)),
    "NL feedback on coding": (POOLED, _mint(True, **_CODE)),
    "Exploring digital environment": (
        MEAN,
        (
            Part("InterCode-CTF", (("intercode_ctf", None),), 100, 10),
            Part("WebArena", (("webarena", None),), 812, 30),
        ),
    ),
    # MINT's games over five turns; the environment of ReAct's prompt over 50 is another setting.
    "Exploring physical environment": (
        POOLED,
        (Part("ALFWorld", (("mint", "alfworld"), ("alfworld", None)), 134, 5),),
    ),
}


@dataclass(frozen=True)
class Played:
    """A part as it was played: ``rate`` as the original counts, ``strict`` strictly; ``judged`` are the
    episodes behind them."""

    part: Part
    environment: str
    rate: Rate
    strict: Rate
    turns: int | None
    worlds: tuple[str, ...] = ()
    judged: tuple[Judged, ...] = ()

    @property
    def whole(self) -> bool:
        """All the paper's tasks, in its own environment and world, with its limit of turns."""
        return not self.otherwise

    @property
    def otherwise(self) -> list[str]:
        """What is not as in the paper, in words."""
        less = [] if self.rate.total >= self.part.tasks else [f"of {self.part.tasks} tasks"]
        if self.turns != self.part.turns:
            less.append(f"{self.turns or 'no limit of'} turns for {self.part.turns}")
        if self.environment != self.part.places[0][0]:
            less.append("another prompt than the paper's")
        if self.part.world and not all(x.startswith(self.part.world) for x in self.worlds):
            less.append(f"answered by {' and '.join(self.worlds) or 'nobody'}")
        return less

    @property
    def words(self) -> str:
        """``MINT gsm8k 1 of 3 (of 48 tasks, 3 turns for 5)``."""
        note = f" ({', '.join(self.otherwise)})" if self.otherwise else ""
        return f"{self.part.name} {self.rate.solved} of {self.rate.total}{note}"


@dataclass(frozen=True)
class LiveLabel:
    """What one model reaches on one axis, in percent, from the parts that were ``played``."""

    axis: str
    model: str
    how: str
    played: tuple[Played, ...]
    missing: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Every part, as in the paper."""
        return not self.missing and all(part.whole for part in self.played)

    def _joined(self, rates: Sequence[Rate]) -> float:
        if self.how == POOLED:
            return Rate(
                sum(rate.solved for rate in rates), sum(rate.total for rate in rates)
            ).percent
        return sum(rate.percent for rate in rates) / len(rates)

    @property
    def value(self) -> float:
        """As the original counts."""
        return self._joined([part.rate for part in self.played])

    @property
    def strict(self) -> float:
        """Strictly counted."""
        return self._joined([part.strict for part in self.played])

    @property
    def interval(self) -> tuple[float, float]:
        """95 %: Wilson's of pooled episodes; of a mean each side on its own (Zou and Donner 2008)."""
        rates = [part.rate for part in self.played]
        if self.how == POOLED:
            return Rate(sum(x.solved for x in rates), sum(x.total for x in rates)).interval
        below = math.hypot(*(rate.percent - rate.interval[0] for rate in rates)) / len(rates)
        above = math.hypot(*(rate.interval[1] - rate.percent for rate in rates)) / len(rates)
        return max(0.0, self.value - below), min(100.0, self.value + above)

    @property
    def note(self) -> str:
        """The arithmetic in words: every part with its count, and what is missing."""
        words = f"{self.how}: {', '.join(part.words for part in self.played)}"
        return f"{words}; not played: {', '.join(self.missing)}" if self.missing else words


def _of_set(result: Result, environment: str, name: str | None) -> list[Judged]:
    if result.environment != environment:
        return []
    return [
        attempt
        for attempt in result.counted
        if name in (None, attempt.episode.task.partition("/")[0])
    ]


def find_part(part: Part, results: Sequence[Result]) -> Played | None:
    """A part from one model's results; of several entries of a recipe that hold it, that which is
    nearest to the paper: the whole one, its limit of turns, the most tasks, then the paper's world. They
    are not pooled."""
    found = []
    for environment, name in part.places:
        for result in results:
            if bool(result.settings.get("feedback")) != part.feedback:
                continue
            if not (chosen := _of_set(result, environment, name)):
                continue
            paper, strict = (
                Rate(sum(getattr(attempt.verdict, rule) == 1 for attempt in chosen), len(chosen))
                for rule in ("paper", "strict")
            )
            turns = result.settings.get("turns")
            worlds = result.scores.reached.worlds if result.scores.reached else ()
            found.append(Played(part, environment, paper, strict, turns, worlds, tuple(chosen)))
    return max(
        found,
        key=lambda candidate: (
            candidate.whole,
            candidate.turns == part.turns,
            candidate.rate.total,
            -len(candidate.otherwise),
        ),
        default=None,
    )


def live_labels(results: Sequence[Result]) -> list[LiveLabel]:
    """By axis and then model, of those axes alone of which something was played. The known solutions
    are no model and are in none."""
    made = []
    models = dict.fromkeys(result.model for result in results if not result.known_solutions)
    for axis, (how, parts) in PARTS.items():
        for model in models:
            mine = [result for result in results if result.model == model]
            pairs = [(part, find_part(part, mine)) for part in parts]
            played = tuple(pair for _, pair in pairs if pair is not None)
            missing = tuple(part.name for part, pair in pairs if pair is None)
            if played:
                made.append(LiveLabel(axis, model, how, played, missing))
    return made
