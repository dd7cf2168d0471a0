"""A player that says what it is given: known solutions, or what somebody else has said."""

from collections.abc import Hashable, Mapping, Sequence

from lemur.agents.environment import Message, Sampling
from lemur.agents.players.player import Answer


class Scripted:
    """Answers turn ``k`` of an episode with the k-th text of its list; after its end with nothing and
    ``finish``."""

    def __init__(self, answers: Mapping[Hashable, Sequence[str]], finish: str = "end"):
        self.texts, self.finish = answers, finish
        self.ready: list[tuple[Hashable, Answer]] = []

    def ask(
        self, key: Hashable, turn: int, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Take the answer of the turn."""
        texts = self.texts.get(key, ())
        answer = Answer(texts[turn], 0, "end") if turn < len(texts) else Answer("", 0, self.finish)
        self.ready.append((key, answer))

    def answers(self, patience: float) -> list[tuple[Hashable, Answer]]:
        """All that were asked for."""
        ready, self.ready = self.ready, []
        return ready

    def drop(self, key: Hashable) -> None:
        """Nothing is held for an episode."""

    def close(self) -> None:
        """Nothing is under way."""
