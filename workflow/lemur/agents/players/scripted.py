"""A player that says what it is given: known solutions, or what somebody else has said."""

from collections import deque
from collections.abc import Hashable, Mapping, Sequence

from lemur.agents.environment import Message, Sampling
from lemur.agents.players.player import Answer


class Scripted:
    """Answers each episode's turns from its list, then with nothing and ``finish``."""

    def __init__(self, answers: Mapping[Hashable, Sequence[str]], finish: str = "end"):
        self.finish = finish
        self.left = {key: deque(texts) for key, texts in answers.items()}
        self.ready: list[tuple[Hashable, Answer]] = []

    def ask(
        self, key: Hashable, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Take the next answer of the episode."""
        left = self.left.get(key)
        answer = Answer(left.popleft(), 0, "end") if left else Answer("", 0, self.finish)
        self.ready.append((key, answer))

    def answers(self, patience: float) -> list[tuple[Hashable, Answer]]:
        """All that were asked for."""
        ready, self.ready = self.ready, []
        return ready

    def drop(self, key: Hashable) -> None:
        """Forget what was not said."""
        self.left.pop(key, None)
