"""A model on this machine plays: its episodes' keys and values are kept between their turns."""

from collections.abc import Hashable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import CONTEXT_FULL
from lemur.agents.players.player import Answer
from lemur.chat.chatml import END, START, ChatML
from lemur.errors import UserError
from lemur.evaluate import vocabulary
from lemur.evaluate.conversations import Conversations
from lemur.evaluate.engine import Engine, Wanted
from lemur.evaluate.stop import cut


class EnginePlayer:
    """A Hugging Face folder whose tokenizer has ChatML's markers; ``rows`` turns decode together.

    ``context`` bounds prompt and answer together, in tokens; by default the model's own.
    """

    def __init__(self, engine: Engine, folder: Path | str, rows: int, context: int | None = None):
        tokenizer = engine.tokenizer
        if any(marker not in tokenizer.get_vocab() for marker in (START, END)):
            raise UserError(
                f"{folder}: agents speak ChatML, and its tokenizer has no '{START}' and '{END}'"
            )
        self.engine = engine
        self.context = min(context or engine.context, engine.context)
        # A tokenizer of its own: ChatML sets it to read control tokens in a message as text.
        self.chatml = ChatML(Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()))
        self.begin = tokenizer.encode("", add_special_tokens=True)
        self.conversations = Conversations(engine, rows)
        self.asked: dict[Hashable, Wanted] = {}
        self.refused: list[tuple[Hashable, Answer]] = []

    def ask(
        self, key: Hashable, turn: int, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Have a turn answered, where prompt and answer find room."""
        prompt = (*self.begin, *self.chatml.prompt(messages, reply=True))
        if len(prompt) + sampling.max_new_tokens > self.context:
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
            text = vocabulary.Decoding(self.engine.tokenizer, wanted.prompt)(made.ids)
            found.append((key, Answer(cut(text, wanted.stops), len(made.ids), made.finish)))
        return found

    def drop(self, key: Hashable) -> None:
        """Give up the keys and values of an episode."""
        self.conversations.drop(key)
