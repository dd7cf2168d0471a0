"""A turn's prompt in the tokens of a model that is loaded here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from lemur.agents.environment import Message, Sampling
from lemur.chat.chatml import END, START, ChatML
from lemur.core.errors import UserError


class Prompts:
    """ChatML for the ``tokenizer`` of a Hugging Face ``folder``, which must have the markers.

    ``context`` bounds prompt and answer together, in tokens.
    """

    def __init__(self, tokenizer: Any, folder: Path | str, context: int):
        if any(marker not in tokenizer.get_vocab() for marker in (START, END)):
            raise UserError(
                f"{folder}: agents speak ChatML, and its tokenizer has no '{START}' and '{END}'"
            )
        self.context = context
        # A tokenizer of its own: ChatML sets it to read control tokens in a message as text.
        self.chatml = ChatML(Tokenizer.from_str(tokenizer.backend_tokenizer.to_str()))
        self.begin = tokenizer.encode("", add_special_tokens=True)

    def encode(self, messages: Sequence[Message], sampling: Sampling) -> tuple[int, ...] | None:
        """The prompt that an answer follows; None where the longest answer finds no room."""
        prompt = (*self.begin, *self.chatml.prompt(messages, reply=True))
        return prompt if len(prompt) + sampling.max_new_tokens <= self.context else None
