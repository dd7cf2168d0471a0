"""What a completions server shows of the tokens of a prompt: ``echo`` with ``logprobs``.

Tokens are counted, never their characters. vLLM's tokens of a Llama-2-like model lack the blanks
that they begin with, its beginning token is among them, and ``text_offset`` is a running sum of
their lengths, so that no place in the prompt's text can be found by it.
"""

import dataclasses
from collections.abc import Sequence

from lemur.evaluation.backends.completions import Completion


class EchoMissing(Exception):
    """The answer does not show the likelihoods of the prompt's tokens; the text says what is wrong."""


@dataclasses.dataclass(frozen=True)
class Echo:
    """Of a prompt and, after it, of what was generated: each token's text, its log-likelihood (nats;
    None for the first) and the best one's at its place. ``ids`` are those of the prompt, where the
    server gives them; ``count`` is how many tokens the prompt has.
    """

    ids: tuple[int, ...] | None
    count: int
    tokens: Sequence[str]
    logprobs: Sequence[float | None]
    best: Sequence[dict[str, float] | None]

    @classmethod
    def read(cls, completion: Completion) -> "Echo":
        """From a server's answer; ValueError and its like for one of another form."""
        choice = completion.choice
        given = choice.get("logprobs")
        if given is None:
            raise EchoMissing("gives no logprobs")
        tokens, logprobs = given["tokens"], given["token_logprobs"]
        best = given.get("top_logprobs") or [None] * len(tokens)
        if not len(tokens) == len(logprobs) == len(best):
            raise ValueError("logprobs are not as many as tokens")
        ids = choice.get("prompt_token_ids")
        if ids is not None:
            count = len(ids)
        else:  # one token was asked for, and stands after the prompt
            count = len(tokens) - int(completion.usage.get("completion_tokens") or 1)
        if count < 1 or len(tokens) < count:
            raise EchoMissing("passes over 'echo'")
        return cls(None if ids is None else tuple(ids), count, tokens, logprobs, best)

    def first_of(self, prompt: str, length: int) -> int:
        """Which token is the first that reaches into the last ``length`` characters of ``prompt``.

        Only for servers that give no ids, and only where their tokens, joined, are exactly the text
        that was sent (behind a beginning token, if there is one), so that each has its true length.
        """
        shown = self.tokens[: self.count]
        if not "".join(shown).endswith(prompt):
            raise EchoMissing("shows tokens that are not the text of the prompt, and not their ids")
        first, left = self.count, length
        while first > 0 and left > 0:
            first -= 1
            left -= len(shown[first])
        return first

    def likelihood(self, first: int) -> tuple[float, bool, int]:
        """Sum of log p, whether each token is the greedy one, and how many: from token ``first`` to
        the prompt's end."""
        if not 0 < first < self.count:
            raise EchoMissing("shows no token of the continuation after one of the context")
        total, greedy = 0.0, True
        for place in range(first, self.count):
            logprob = self.logprobs[place]
            if logprob is None:
                raise EchoMissing("shows a token without its likelihood")
            total += logprob
            best = max((self.best[place] or {}).values(), default=logprob)
            greedy = greedy and logprob >= best
        return total, greedy, self.count - first
