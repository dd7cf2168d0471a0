"""A model on this machine plays: its episodes' keys and values are kept between their turns."""

from collections.abc import Hashable, Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import CONTEXT_FULL
from lemur.agents.players.player import Answer
from lemur.agents.players.prompts import Prompts
from lemur.inference import model_tokenizer
from lemur.inference.conversations import Conversations
from lemur.inference.engine import Engine, Wanted
from lemur.inference.stopping import cut


class EnginePlayer:
    """A Hugging Face folder whose tokenizer has ChatML's markers; ``rows`` turns decode together.

    ``context`` bounds prompt and answer together, in tokens; by default the model's own.
    """

    def __init__(self, engine: Engine, folder: Path | str, rows: int, context: int | None = None):
        self.engine = engine
        most = min(context or engine.context, engine.context)
        self.prompts = Prompts(engine.tokenizer, folder, most)
        self.conversations = Conversations(engine, rows)
        self.asked: dict[Hashable, Wanted] = {}
        self.refused: list[tuple[Hashable, Answer]] = []

    def ask(
        self, key: Hashable, turn: int, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Have a turn answered, where prompt and answer find room."""
        prompt = self.prompts.encode(messages, sampling)
        if prompt is None:
            self.refused.append((key, Answer("", 0, CONTEXT_FULL)))
            return
        wanted = Wanted(
            prompt, sampling.max_new_tokens, sampling.stops,
            sampling.temperature, sampling.top_p, number,
        )  # fmt: skip
        self.asked[key] = wanted
        self.conversations.add(key, wanted)

    def answers(self, patience: float) -> list[tuple[Hashable, Answer]]:
        """Decode one pass; what ended by it, and what found no room."""
        found, self.refused = self.refused, []
        for key, made in self.conversations.step():
            wanted = self.asked.pop(key)
            text = model_tokenizer.Decoding(self.engine.tokenizer, wanted.prompt)(made.ids)
            found.append((key, Answer(cut(text, wanted.stops), len(made.ids), made.finish)))
        return found

    def drop(self, key: Hashable) -> None:
        """Give up the keys and values of an episode."""
        self.conversations.drop(key)

    def close(self) -> None:
        """Nothing works on once the last turn is answered."""
