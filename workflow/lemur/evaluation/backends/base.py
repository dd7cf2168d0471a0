"""What answers the requests of lm-eval: the interface of every backend."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from lm_eval.api.instance import Instance

from lemur.evaluation.lm import Dialogue
from lemur.evaluation.response_journal import Answer

# (number of the request, its answer) in any order.
Answers = Iterator[tuple[int, Answer]]


class Backend(ABC):
    """One model that is asked.

    ``begin``: whether a prompt gets the tokenizer's own beginning token. ``chat``: whether prompts
    are ChatML; ``dialogues`` has the messages that such a prompt was made of. ``answers_apart``: a
    likelihood is of what an assistant says, whose tokens are apart from its header's, as in training
    (a server reads both as one text). In every method ``seeds`` has a number for each request, and ``done`` is how many of its benchmark were answered
    before.
    """

    begin = True
    chat = False
    answers_apart = False
    dialogues: Mapping[str, Dialogue] = {}

    @abstractmethod
    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Continuations, each a text without the stop text that ended it."""

    @abstractmethod
    def loglikelihood(
        self, requests: Sequence[Instance], seeds: Sequence[int], done: int
    ) -> Answers:
        """Log-likelihoods (nats) of continuations, and whether each is the greedy one."""

    @abstractmethod
    def rolling(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Log-likelihoods (nats) of whole documents."""

    def has_token(self, token: str) -> bool:
        """Whether ``token`` is one of the vocabulary; a server's is taken to have it."""
        return True

    def count_tokens(self, prompt: str) -> int | None:
        """Tokens of a prompt; None where the backend does not show them."""
        return None
