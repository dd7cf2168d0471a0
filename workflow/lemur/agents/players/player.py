"""Who answers: a model behind an engine or a server, or a policy that knows the answers."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lemur.agents.environment import Message, Sampling

SEEDS = 2**31 - 1  # seeds that others' engines take; a prime, so that no part of a number is lost


@dataclass(frozen=True)
class Answer:
    """``text`` of ``tokens`` tokens; ``finish``: stop, end, length, "context full" (the prompt left
    no room, nothing was said) or "refused by the server"."""

    text: str
    tokens: int
    finish: str


class Player(Protocol):
    """Answers the turns of many episodes, as many at a time as it can.

    ``key`` names an episode: its turns are asked one after the other, each with its whole prompt.
    """

    def ask(
        self, key: Hashable, turn: int, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Have turn ``turn`` (from 0) answered; ``number`` seeds its sampling, whatever else is asked.
        Turns that an earlier run has had answered are not asked again."""

    def answers(self, patience: float) -> list[tuple[Hashable, Answer]]:
        """Turns that are answered since the last call; waits at most ``patience`` seconds for one,
        or as long as one step of the model takes. Raises ``UserError`` where no more can come."""

    def drop(self, key: Hashable) -> None:
        """An episode is over."""

    def close(self) -> None:
        """No turn is asked any more; what is under way is given up."""
