"""ChatML: how a conversation becomes tokens, and which of them the model is trained to say.

A turn is ``<|im_start|>role\\ncontent<|im_end|>\\n``. The markers are control tokens; content is
data, so that a ``<|im_end|>`` written in it is encoded as plain text and cannot end a turn. Trained
on are the assistant's text, the ``<|im_end|>`` after it and that marker's line end: decoded, the
tokens with mask 1 are exactly those strings. An assistant's header and text are encoded apart, as
they are at generation time, so that no token straddles where the mask begins.

SentencePiece vocabularies (Llama 2, CodeLlama, TinyLlama) put a space before what they encode: an
answer is encoded without it. Those that put it after every control token as well do so in prompts;
there headers and questions have it too, and the line end, which is " \\n" then, is not trained on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenizers import AddedToken, Tokenizer

from lemur.core.errors import UserError, nearest

START, END = "<|im_start|>", "<|im_end|>"
ROLES = ("system", "user", "assistant")
Message = Mapping[str, str]

# The same format as a chat template, for generation. No system turn is put in by itself.
TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Turn:
    """One message's tokens; ``mask`` is 1 where the loss counts."""

    ids: list[int]
    mask: list[int]


def check(messages: Sequence[Message]) -> None:
    """A conversation is at least one message, of known roles, and ends with the assistant."""
    for message in messages:
        if message.get("role") not in ROLES:
            role = message.get("role")
            raise UserError(f"message: unknown role '{role}'{nearest(str(role), ROLES)}")
        if not isinstance(message.get("content"), str):
            raise UserError(f"message of {message['role']}: content is not text")
    if not messages or messages[-1]["role"] != "assistant":
        raise UserError("a conversation must end with an assistant message")


class ChatML:
    """Encodes turns with a tokenizer, whose markers are found or appended behind its last id.

    ``vocabulary`` is the largest id plus one, appended markers included: a model whose tokenizer
    lacks ``<|im_start|>`` and ``<|im_end|>`` gets them in this order (``vocabulary: chatml``).
    """

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        with_markers(tokenizer)
        tokenizer.encode_special_tokens = True
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.start = tokenizer.token_to_id(START)
        self.end = tokenizer.token_to_id(END)
        self.vocabulary = max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
        self.spaced = self._decoded(self._plain("a")) == " a"
        self.spaced_after_markers = self.spaced and self._parsed(f"{END}a")[1:] == self._plain("a")
        self.line = self._after_marker("\n")
        self.line_trained = int(self._decoded(self.line) == "\n")

    def _plain(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids if text else []

    def _exact(self, text: str) -> list[int]:
        """The text and nothing before it: what follows a line end, which no piece reaches across."""
        if not self.spaced:
            return self._plain(text)
        before, whole = self._plain("\n"), self._plain(f"\n{text}")
        return whole[len(before) :] if whole[: len(before)] == before else self._plain(text)

    def _after_marker(self, text: str) -> list[int]:
        """As a prompt is encoded, where control tokens are read as such."""
        return self._plain(text) if self.spaced_after_markers else self._exact(text)

    def _parsed(self, text: str) -> list[int]:
        self.tokenizer.encode_special_tokens = False
        ids = self._plain(text)
        self.tokenizer.encode_special_tokens = True
        return ids

    def _decoded(self, ids: list[int]) -> str:
        """What stands after a marker; alone, a text would lose the space that it begins with."""
        text = self.tokenizer.decode([self.end, *ids], skip_special_tokens=False)
        return text.removeprefix(END)

    def turn(self, message: Message) -> Turn:
        """The tokens of one message."""
        role, content = message["role"], message["content"]
        if role != "assistant":
            asked = self._after_marker(f"{role}\n{content}")
            ids = [self.start, *asked, self.end, *self.line]
            return Turn(ids, [0] * len(ids))
        header = [self.start, *self._after_marker(f"{role}\n")]
        said = [*self._exact(content), self.end]
        mask = [0] * len(header) + [1] * len(said) + [self.line_trained] * len(self.line)
        return Turn([*header, *said, *self.line], mask)

    def prompt(
        self, messages: Sequence[Message], reply: bool, answer: str = "", strip: bool = False
    ) -> list[int]:
        """The tokens of a prompt: its last message is left open, or followed by the header of a
        ``reply``; then comes the ``answer``. ``strip``: without blanks at its end."""
        texts = [f"{message['role']}\n{message['content']}" for message in messages]
        texts = [*texts, "assistant\n"] if reply else texts
        last = texts.pop() + answer
        ids = []
        for text in texts:
            ids += [self.start, *self._after_marker(text), self.end, *self.line]
        return [*ids, self.start, *self._after_marker(last.rstrip() if strip else last)]

    def said(self, content: str) -> list[int]:
        """The tokens of what an assistant says, encoded apart from its header as they are trained on."""
        return self._exact(content)

    def turns(self, messages: Sequence[Message]) -> list[Turn]:
        """The tokens of every message."""
        check(messages)
        return [self.turn(message) for message in messages]

    def faithful(self, message: Message) -> bool:
        """Whether the trained tokens of a message decode to its text: some vocabularies lose bytes.

        (SmolLM2's lacks 21 single bytes, which its tokenizer drops in silence.)
        """
        turn = self.turn(message)
        said = [token for token, trained in zip(turn.ids, turn.mask, strict=True) if trained]
        if not said:
            return True
        return self._decoded(said) == self.trained(message)

    def trained(self, message: Message) -> str:
        """What the model learns to say of an assistant's message."""
        return f"{message['content']}{END}" + "\n" * self.line_trained


def as_text(messages: Sequence[Message], reply: bool) -> str:
    """A conversation as the text of a prompt. Without ``reply``, the header of an answer, its last
    message is left open, for the model to continue."""
    texts = [f"{START}{message['role']}\n{message['content']}" for message in messages]
    if reply:
        texts.append(f"{START}assistant\n")
    return f"{END}\n".join(texts)


def with_markers(tokenizer: Tokenizer) -> int:
    """Append the ChatML markers that a tokenizer lacks, in fixed order; returns how many."""
    lacking = [marker for marker in (START, END) if tokenizer.token_to_id(marker) is None]
    return tokenizer.add_special_tokens([AddedToken(marker, special=True) for marker in lacking])
