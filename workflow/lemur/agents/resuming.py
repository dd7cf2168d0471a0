"""What a journal has of an episode, so that a killed run asks nothing twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lemur.agents.environment import Step, Task
from lemur.agents.episode import Episode, Turn
from lemur.agents.players.player import Answer
from lemur.core import contracts


@dataclass(frozen=True)
class Begun:
    """A world's first observation."""

    start: str


@dataclass(frozen=True)
class Answered:
    """A model's answer in turn ``turn`` (from 0); ``prompt`` is the digest of what it read."""

    turn: int
    prompt: str
    answer: str
    tokens: int
    finish: str

    @property
    def taken(self) -> Answer:
        """As a player gives it."""
        return Answer(self.answer, self.tokens, self.finish)


@dataclass(frozen=True)
class Stepped:
    """What the answer of a turn brought about; see :class:`~lemur.agents.environment.Step`."""

    turn: int
    observation: str
    reward: int | float  # as the world gave it: 1 and 1.0 are other bytes
    done: bool
    info: Mapping[str, Any]

    @classmethod
    def from_step(cls, turn: int, step: Step) -> "Stepped":
        return cls(turn, step.observation, step.reward, step.done, dict(step.info))


@dataclass(frozen=True)
class Taught:
    """What is passed on of a teacher's answer on a turn; ``said`` is all of it, where that is more."""

    turn: int
    prompt: str
    feedback: str
    tokens: int
    finish: str
    said: str | None = None


@dataclass(frozen=True)
class Ended:
    """Why an episode ended; ``detail`` is one line on a world that failed."""

    end: str
    detail: str


Event = Begun | Answered | Stepped | Taught | Ended
KINDS: Mapping[str, type[Event]] = {
    "start": Begun,
    "answer": Answered,
    "step": Stepped,
    "feedback": Taught,
    "end": Ended,
}
_NAMES = {event: kind for kind, event in KINDS.items()}


@dataclass(frozen=True)
class Entry:
    """A line of the journal: what happened in attempt ``attempt`` (from 0) of an episode."""

    episode: str
    attempt: int
    event: Event

    def line(self) -> Mapping[str, Any]:
        """What JSON holds of it, that :func:`read_entry` reads."""
        told = contracts.plain(self.event)
        said = {key: value for key, value in told.items() if value is not None}
        return {"episode": self.episode, "attempt": self.attempt, "kind": _NAMES[type(self.event)], **said}  # fmt: skip


def read_entry(line: Mapping[str, Any]) -> Entry | None:
    """A line of the journal; None for one that is of no kind known here.

    Raises:
        UserError: its keys are not those of its kind.
    """
    rest = dict(line)
    place, kind = (str(rest.pop("episode", "")), rest.pop("attempt", 0)), rest.pop("kind", None)
    if kind not in KINDS:
        return None
    return Entry(*place, contracts.read(KINDS[kind], rest, f"the journal, episode {place[0]}"))


class Known:
    """What the journal has of one episode: its last beginning, and whether it has ended."""

    def __init__(self, attempt: int = 0) -> None:
        self.attempt = attempt
        self.start: str | None = None
        self.answers: list[Answered] = []
        self.feedback: dict[int, Taught] = {}
        self.steps: list[Stepped] = []
        self.ended: Ended | None = None

    def read(self, entry: Entry) -> None:
        """Take up one line, in the order in which it was written."""
        if entry.attempt > self.attempt:
            self.__init__(entry.attempt)  # type: ignore[misc]
        event = entry.event
        if isinstance(event, Begun):
            self.start = event.start
        elif isinstance(event, Answered) and event.turn == len(self.answers):
            self.answers.append(event)
        elif isinstance(event, Stepped) and event.turn == len(self.steps):
            self.steps.append(event)
        elif isinstance(event, Taught):
            self.feedback[event.turn] = event
        elif isinstance(event, Ended):
            self.ended = event


def recorded(task: Task, known: Known) -> Episode:
    """An episode that an earlier run has ended."""
    turns = []
    for number, (answer, step) in enumerate(zip(known.answers, known.steps, strict=False)):
        heard = known.feedback.get(number)
        info = step.info if heard is None else {**step.info, "feedback": heard.feedback}
        turns.append(
            Turn(
                answer.prompt, answer.answer, answer.tokens, answer.finish,
                step.observation, step.reward, step.done, info,
            )
        )  # fmt: skip
    assert known.ended is not None
    end = known.ended
    return Episode(task.id, known.start or "", tuple(turns), end.end, known.attempt, end.detail)
