"""An episode as it is recorded: every answer of the model and what it brought about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Why an episode ended, where the environment does not name its own reason.
CONTEXT_FULL = "context full"
REFUSED = "refused by the server"
WORLD_FAILED = "world failed"


@dataclass(frozen=True)
class Turn:
    """One answer and what followed.

    ``prompt`` is the sha256 of what the model read and how it was asked; ``tokens`` those of the
    ``answer``; ``finish``: stop (a text), end (a token) or length. The rest is the world's
    :class:`~lemur.agents.environment.Step`.
    """

    prompt: str
    answer: str
    tokens: int
    finish: str
    observation: str
    reward: int | float = 0.0  # as the world gave it: 1 and 1.0 are other bytes
    done: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Episode:
    """One task played to its ``end``. ``start`` is the first observation; ``restarts`` how often it
    began again since a world did not say what it had said before; ``detail`` is one line on a world
    that failed."""

    task: str
    start: str
    turns: tuple[Turn, ...]
    end: str
    restarts: int = 0
    detail: str = ""

    @property
    def tokens(self) -> int:
        """Tokens that the model said."""
        return sum(turn.tokens for turn in self.turns)

    @property
    def reward(self) -> float:
        """The highest reward of a turn; 0 without turns."""
        return max((turn.reward for turn in self.turns), default=0.0)
