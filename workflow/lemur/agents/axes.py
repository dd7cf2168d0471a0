"""The paper's agent radar: six axes, two models, and where each of its 12 labels comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

from lemur.agents.rates import Rate
from lemur.core.errors import UserError

# Names in the figure, and the names under which MINT recorded the same models.
MODELS = {"Lemur-70B-Chat": "lemur-70b-chat-v1", "gpt-3.5-turbo": "gpt-3.5-turbo-0613"}


@dataclass(frozen=True)
class Axis:
    """``run`` is the (feedback, category) whose pooled success rate is the axis; None without records.

    ``parts`` are the printed scores whose mean the printed label is, where those are known, together
    with the success rates of ``counted``, MINT's sets of code without feedback.
    """

    name: str
    run: tuple[str, str] | None = None
    parts: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()


# Found by counting: each pairing below reproduces the printed labels of both models (see `labels`).
AXES = (
    Axis("Tool augmentation", ("none", "reasoning")),
    Axis(
        "Self-debugging",
        parts=("RoboCodeGen", "InterCode-SQL", "InterCode-Bash"),
        counted=("humaneval", "mbpp"),
    ),
    Axis("NL feedback on reasoning", ("gpt-4", "reasoning")),
    Axis("NL feedback on coding", ("gpt-4", "code_generation")),
    Axis("Exploring digital environment", parts=("InterCode-CTF", "WebArena")),
    Axis("Exploring physical environment", ("none", "decision_making")),
)

# An inferred label is the mean of parts that nobody has said to be its parts: the arithmetic agrees, that
# is all.
COUNTED, TRANSCRIBED, INFERRED = "counted", "transcribed", "inferred"
_RUNS = {
    ("none", "reasoning"): "MINT reasoning tasks, Python tool, up to 5 turns, no feedback",
    ("gpt-4", "reasoning"): "MINT reasoning tasks, up to 5 turns, GPT-4 feedback",
    ("gpt-4", "code_generation"): "MINT code tasks, up to 5 turns, GPT-4 feedback",
    ("none", "decision_making"): "ALFWorld in MINT, up to 5 turns, no feedback",
}


@dataclass(frozen=True)
class Label:
    """One of the 12 labels; ``rate`` is what the records give, where there are records."""

    axis: str
    model: str
    printed: float
    mark: str
    setting: str
    note: str
    rate: Rate | None = None

    @property
    def value(self) -> float:
        """What the figure draws: the recount where there is one, else the printed number."""
        return self.rate.percent if self.rate else self.printed

    @property
    def differs(self) -> bool:
        """The recount and the print are further apart than one unit of the last printed digit."""
        return self.rate is not None and abs(round(self.rate.percent, 2) - self.printed) > 0.0101


def _counted_note(rate: Rate, printed: float) -> str:
    shown = f"{rate.solved} of {rate.total} episodes"
    if round(rate.percent, 2) == printed:
        return f"{shown}; equals the paper"
    nearest = round(printed * rate.total / 100)
    if round(100 * nearest / rate.total, 2) == printed:
        return f"{shown}; the paper's {printed:.2f} would be {nearest} of {rate.total}"
    return f"{shown}; the paper prints {printed:.2f}, which no count of {rate.total} gives"


def printed_parts(
    reported: Mapping[str, Mapping[tuple[str, str], float]],
) -> dict[tuple[str, str], float]:
    """The parts of the axes that are means, from the tables of ``reported.csv``."""
    tables = [reported.get(name, {}) for name in ("self-debugging", "digital-environment")]
    return {key: value for table in tables for key, value in table.items()}


def _mean_note(
    axis: Axis,
    model: str,
    recorded: str,
    label: float,
    rates: Mapping[tuple[str, str, str, str], Rate],
    parts: Mapping[tuple[str, str], float],
) -> str:
    """The arithmetic of a label that is a mean; a ``UserError`` where it is not that mean."""
    given = {name: parts[model, name] for name in axis.parts if (model, name) in parts}
    words = [f"{name} {score:g}" for name, score in given.items()]
    for name in reversed(axis.counted):
        rate = rates.get((recorded, "none", "code_generation", name))
        if rate is not None:
            given[name] = rate.percent
            words.insert(0, f"{name} {rate.percent:.2f} (counted, {rate.solved} of {rate.total})")
    every = (*axis.counted, *axis.parts)
    mean = sum(given.values()) / len(every)
    same = len(given) == len(every) and abs(mean - label) <= 0.0051
    if len(given) != len(every) or not (same or axis.counted):
        raise UserError(
            f"reported numbers: {axis.name} of {model} is not the mean of {' and '.join(every)}"
        )
    if axis.counted:
        agrees = "consistent" if same else f"{mean:.2f}, which is not what is printed"
        return f"as printed; mean of {', '.join(words)}: {agrees}, not published as its parts"
    return f"as printed, not recomputed; mean of the printed {' and '.join(words)}"


def labels(
    rates: Mapping[tuple[str, str, str, str], Rate],
    printed: Mapping[tuple[str, str], float],
    parts: Mapping[tuple[str, str], float],
) -> list[Label]:
    """All 12 labels, by axis and then model.

    ``rates`` as from :func:`lemur.agents.rates.rates`; ``printed`` and ``parts`` map
    (model, name) to the paper's number, of axes and of their parts. A missing number or record is a ``UserError``.
    """
    made = []
    for axis in AXES:
        for model, recorded in MODELS.items():
            if (model, axis.name) not in printed:
                raise UserError(f"reported numbers: no '{axis.name}' of {model} in agent-radar")
            label = printed[model, axis.name]
            if axis.run:
                key = (recorded, *axis.run, "all")
                if key not in rates:
                    raise UserError(f"outcome table: no episodes of {' '.join(key[:3])}")
                note = _counted_note(rates[key], label)
                setting = _RUNS[axis.run]
                made.append(Label(axis.name, model, label, COUNTED, setting, note, rates[key]))
            else:
                note = _mean_note(axis, model, recorded, label, rates, parts)
                setting = " and ".join((*axis.counted, *axis.parts))
                mark = INFERRED if axis.counted else TRANSCRIBED
                made.append(Label(axis.name, model, label, mark, setting, note))
    return made
