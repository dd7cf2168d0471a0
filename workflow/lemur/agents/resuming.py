"""What a journal has of an episode, so that a killed run asks nothing twice."""

from typing import Any

from lemur.agents.environment import Task
from lemur.agents.episode import Episode, Turn


class Known:
    """What the journal has of one episode: its last beginning, and whether it has ended."""

    def __init__(self) -> None:
        self.attempt = 0
        self.start: str | None = None
        self.answers: list[dict[str, Any]] = []
        self.feedback: dict[int, dict[str, Any]] = {}
        self.steps: list[dict[str, Any]] = []
        self.ended: dict[str, Any] | None = None

    def read(self, entry: dict[str, Any]) -> None:
        """Take up one line, in the order in which it was written."""
        if entry["attempt"] > self.attempt:
            self.__init__()  # type: ignore[misc]
            self.attempt = entry["attempt"]
        kind = entry["kind"]
        if kind == "start":
            self.start = entry["start"]
        elif kind == "answer" and entry["turn"] == len(self.answers):
            self.answers.append(entry)
        elif kind == "step" and entry["turn"] == len(self.steps):
            self.steps.append(entry)
        elif kind == "feedback":
            self.feedback[entry["turn"]] = entry
        elif kind == "end":
            self.ended = entry


def _learned(info: dict[str, Any], known: Known, turn: int) -> dict[str, Any]:
    """A turn's info with the feedback on it."""
    heard = known.feedback.get(turn)
    return info if heard is None else {**info, "feedback": heard["feedback"]}


def recorded(task: Task, known: Known) -> Episode:
    """An episode that an earlier run has ended."""
    turns = tuple(
        Turn(
            answer["prompt"], answer["answer"], answer["tokens"], answer["finish"],
            step["observation"], step["reward"], step["done"], _learned(step["info"], known, at),
        )
        for at, (answer, step) in enumerate(zip(known.answers, known.steps, strict=False))
    )  # fmt: skip
    assert known.ended is not None
    end, detail = known.ended["end"], known.ended["detail"]
    return Episode(task.id, known.start or "", turns, end, known.attempt, detail)
