"""What an agent environment is: its tasks, its protocol, its world and its judge.

``Suite`` is one environment's folder (``agents/environments/<name>/`` or one outside the package).
The same four parts play live, replay what was recorded and judge it again:

* *tasks*: the problems, in a fixed order;
* *protocol*: what a model reads (``messages``, a function of the record alone), how much it may say
  (``Sampling``), and how an answer is read; see each environment's ``protocol.py``;
* *world* (``Environment``): the state that actions change, in a process or a sandbox of its own;
* *judge*: from a record to two scores, *paper* (as the original counts, faults kept) and *strict*.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lemur.agents.episode import Episode, Turn

Info = dict[str, Any]  # what a turn records beside its answer, for judge and pages
Message = Mapping[str, str]  # "role" (system, user, assistant) and "content"


def _as_numbers(made: object, *names: str) -> None:
    for name in names:
        if isinstance(value := getattr(made, name), bool):
            object.__setattr__(made, name, float(value))


class WorldFailed(Exception):
    """A world cannot go on through no fault of the model's: the episode is named and left out."""


@dataclass(frozen=True)
class Task:
    """One problem. ``id`` is unique in its environment; ``data`` is what its own task file says."""

    id: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Sampling:
    """How an answer is made. ``stops`` are texts that end it and are no part of it."""

    max_new_tokens: int
    temperature: int | float = 0.0
    top_p: int | float = 1.0
    stops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What an answer brings about.

    ``observation`` is what the model is told, as the protocol cut it; ``reward`` is what the world
    gave, from 0 to 1; ``done``: the episode is over. ``info`` is JSON for judge and pages: the parsed
    ``action``, and where the episode is over its ``end`` ("solved", "out of turns" ...).
    """

    observation: str
    reward: float = 0.0
    done: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """A world that says True or False has said 1 or 0."""
        _as_numbers(self, "reward")


@dataclass(frozen=True)
class Verdict:
    """Two scores of one episode, from 0 to 1, and in words why they differ or why ``strict`` is 0.

    ``left_out`` says why an episode is in no score, where it could not be played.
    """

    paper: float
    strict: float
    why: str = ""
    left_out: str | None = None

    def __post_init__(self) -> None:
        """A judge that says True or False has said 1 or 0."""
        _as_numbers(self, "paper", "strict")


class Environment(ABC):
    """The world of one episode at a time. Its calls come from one thread after the other.

    Raises ``WorldFailed`` where it cannot go on; what a model's action does is an observation.
    """

    @abstractmethod
    def reset(self, task: Task) -> str:
        """Begin ``task`` anew; the first observation (which a protocol may leave out)."""

    @abstractmethod
    def step(self, action: str) -> Step:
        """Take a model's answer, whole, as it was said."""

    @abstractmethod
    def close(self) -> None:
        """End every process and remove every file of the episode. May be called twice."""


class Suite(ABC):
    """One environment: everything that plays, replays and judges it. ``settings`` come from the
    recipe; a key that the environment does not know is a ``UserError``.

    ``name`` is the folder's; ``skill`` is the paper's category that it belongs to.
    """

    name: str
    skill: str

    @abstractmethod
    def tasks(self) -> Sequence[Task]:
        """All problems, in an order that depends on the data alone."""

    @abstractmethod
    def sampling(self) -> Sampling:
        """How the model's answers are made."""

    @abstractmethod
    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """What the model reads before its next turn: a function of the record alone. ``start`` is the
        first observation."""

    def consult(
        self, task: Task, start: str, turns: Sequence[Turn]
    ) -> tuple[list[Message], Sampling] | None:
        """What a teacher is asked after the last of ``turns``, where the environment has one; what
        is passed on of its answer becomes ``info["feedback"]`` of that turn."""
        return None

    def passed_on(self, feedback: str) -> str:
        """What the model is told of a teacher's answer."""
        return feedback

    @abstractmethod
    def open(self) -> Environment:
        """A new world. Worlds of several episodes are open at a time and share nothing."""

    @abstractmethod
    def judge(self, task: Task, episode: Episode) -> Verdict:
        """The scores of a recorded episode. Never raises for what a model said."""

    def gold(self, task: Task) -> Sequence[str] | None:
        """Answers that solve the task, one a turn; None where none is known."""
        return None

    def normalised(self, observation: str) -> str:
        """An observation without what differs from run to run (addresses, times)."""
        return observation

    def explain(self, before: str, now: str) -> str:
        """Why a recorded observation is another one today, both normalised, in a few words."""
        return "another output"

    def close(self) -> None:  # noqa: B027 - most share nothing
        """End what all worlds share, a server of databases, say."""

    def unplayable(self, task: Task) -> str | None:
        """Why a task cannot be played on this machine, in a few words; None where it can."""
        return None
