"""What backends share that see a model's tokens: prompts cut to the context, windows to be scored."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
from tokenizers import Tokenizer

from lemur.chat.chatml import END, ChatML
from lemur.core.errors import UserError
from lemur.evaluation.backends.base import Answers, Backend
from lemur.evaluation.lm import Dialogue
from lemur.evaluation.spec import LONGEST_ANSWER, Decoding
from lemur.inference import model_tokenizer

WINDOW = 2048  # tokens of context at most when whole documents are scored: the paper's own
# of every request: windows of (input ids, the last ids to predict)
Spans = list[list[tuple[list[int], list[int]]]]


class Tokenised(Backend):
    """``context`` in tokens; ``document_ids`` gives the ids of a document that is scored whole."""

    def __init__(
        self,
        tokenizer: Any,
        document_ids: Callable[[str], list[int]],
        context: int,
        decoding: Decoding,
        seed: int,
        label: str,
    ):
        self.tokenizer, self.document_ids = tokenizer, document_ids
        self.context, self.decoding = context, decoding
        self.seed, self.label = seed, label
        self.scored_context = context  # input ids of a window at most
        self._chatml: ChatML | None = None

    def encode(self, prompt: str, answer: str = "", strip: bool = False) -> list[int]:
        """Ids of ``prompt`` and of what follows it, without blanks at its end where ``strip``; only
        the markers that the chat template set are control tokens."""
        text = prompt + answer
        text = text.rstrip() if strip else text
        if not self.chat:
            return model_tokenizer.encode(self.tokenizer, text, self.begin)
        dialogue = self.dialogues.get(prompt)
        if dialogue is None or not self._names_controls(dialogue, answer):
            return model_tokenizer.encode_chat(self.tokenizer, text, self.begin)
        start = self.tokenizer.encode("", add_special_tokens=self.begin)
        return [
            *start,
            *self._chat_format().prompt(dialogue.messages, dialogue.reply, answer, strip),
        ]

    def _chat_format(self) -> ChatML:
        if self._chatml is None:
            # A tokenizer of its own: this one is set to read control tokens as text.
            tokenizer = Tokenizer.from_str(self.tokenizer.backend_tokenizer.to_str())
            self._chatml = ChatML(tokenizer)
        return self._chatml

    def _names_controls(self, dialogue: Dialogue, answer: str) -> bool:
        if not self.has_token(END):
            return False  # the markers themselves are text to this model
        said = [*(message["content"] for message in dialogue.messages), answer]
        added = self.tokenizer.added_tokens_decoder.values()
        names = [token.content for token in added if token.special]
        return any(name in text for text in said for name in names)

    def text(self, prompt: Sequence[int], ids: Sequence[int]) -> str:
        """Text of an answer's ``ids`` as they follow ``prompt``."""
        return model_tokenizer.Decoding(self.tokenizer, prompt)(ids)

    def prompts(self, requests: Sequence[Instance]) -> tuple[list[list[int]], list[list[int]], int]:
        """Ids of each prompt, the same without the beginning that finds no room, and the longest
        answer in tokens."""
        new = self.decoding.max_new_tokens or LONGEST_ANSWER
        room = self.context - new
        if room < 1:
            raise UserError(
                f"{self.label}: max_new_tokens {new} leaves no room in a context of {self.context}"
            )
        prompts = [self.encode(request.args[0]) for request in requests]
        return prompts, [prompt[-room:] for prompt in prompts], new

    def has_token(self, token: str) -> bool:
        """Whether ``token`` is one of the vocabulary."""
        return token in self.tokenizer.get_vocab()

    def count_tokens(self, prompt: str) -> int:
        """Tokens of a prompt."""
        return len(self.encode(prompt))

    @abstractmethod
    def scored(self, spans: Spans, done: int, form: Any, greedy: bool = True) -> Answers:
        """For each request the ``form`` of its total log-likelihood (nats) and of whether it is the
        greedy continuation, which need not be found out where ``greedy`` is False."""

    def loglikelihood(
        self, requests: Sequence[Instance], seeds: Sequence[int], done: int
    ) -> Answers:
        """Log-likelihood (nats) of a continuation after a context, and whether it is the greedy
        one."""
        pairs = [self._pair(*request.args[:2]) for request in requests]
        spans = []
        for context, rest in pairs:
            tokens = (context + rest)[-(self.scored_context + 1) :]
            spans.append([(tokens[:-1], rest[-(len(tokens) - 1) :])])
        yield from self.scored(spans, done, lambda total, greedy: (total, greedy))

    def rolling(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Log-likelihood (nats) of whole documents, each token predicted once, in windows of at
        most WINDOW tokens."""
        spans = []
        for request in requests:
            tokens = self.document_ids(request.args[0])
            windows = get_rolling_token_windows(
                token_list=tokens,
                prefix_token=self._begin(),
                max_seq_len=min(self.scored_context, WINDOW),
                context_len=1,
            )
            cuts = [make_disjoint_window(window) for window in windows]
            spans.append([((before + after)[:-1], after) for before, after in cuts])
        yield from self.scored(spans, done, lambda total, _: total, greedy=False)

    def _begin(self) -> int:
        tokenizer = self.tokenizer
        for number in (tokenizer.bos_token_id, tokenizer.eos_token_id):
            if number is not None:
                return int(number)
        raise UserError(f"{self.label}: the tokenizer has neither a beginning nor an end token")

    def _pair(self, context: str, rest: str) -> tuple[list[int], list[int]]:
        if not context:
            return [self._begin()], model_tokenizer.encode(self.tokenizer, rest, begin=False)
        if self.answers_apart:
            return self.encode(context), self._chat_format().said(rest)
        whole = self.encode(context, rest)
        # Blanks at a context's end belong to the continuation, as in lm-eval.
        start = self.encode(context, strip=True)
        return whole[: len(start)], whole[len(start) :]
