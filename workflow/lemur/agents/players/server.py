"""A model behind an OpenAI-compatible server plays: turns of several episodes are asked at a time.

Prompts are sent as text in our own chat template, by the completions interface, so that a server of
the same weights is asked what the engine here is asked. A server that goes away ends the run; what
was answered until then is handed over first.
"""

import re
from collections.abc import Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from lemur.agents.environment import Message, Sampling
from lemur.agents.episode import CONTEXT_FULL, REFUSED
from lemur.agents.players.player import SEEDS, Answer
from lemur.chat.chatml import as_text
from lemur.evaluation.backends.completions import CompletionsClient, Refused

# How vLLM, llama.cpp, TGI and OpenAI word that a prompt is too long; 413 is HTTP's own way.
_TOO_LONG = re.compile(r"HTTP 413|context|too (long|large|many)|token|length", re.IGNORECASE)


class ServerPlayer:
    """``rows`` turns are under way at a time."""

    def __init__(self, client: CompletionsClient, rows: int):
        self.client = client
        self.pool = ThreadPoolExecutor(rows)
        self.asked: dict[Future[Answer], Hashable] = {}
        self.failure: BaseException | None = None

    def ask(
        self, key: Hashable, turn: int, messages: Sequence[Message], sampling: Sampling, number: int
    ) -> None:
        """Have a turn asked as soon as one of the rows is free."""
        if self.failure is None:
            future = self.pool.submit(self._complete, as_text(messages, True), sampling, number)
            self.asked[future] = key

    def answers(self, patience: float) -> list[tuple[Hashable, Answer]]:
        """What the server has answered. Once a request has failed for good, what the others are
        answered meanwhile comes first, and the next call raises."""
        if self.failure is not None:
            raise self.failure
        ready = wait(self.asked, patience, FIRST_COMPLETED).done
        failed = next((error for future in ready if (error := future.exception())), None)
        if failed is not None:
            self.failure = failed
            for future in [waiting for waiting in self.asked if waiting.cancel()]:
                self.asked.pop(future)
            ready = wait(self.asked).done
        found = [(self.asked.pop(future), future) for future in ready]
        return [(key, future.result()) for key, future in found if future.exception() is None]

    def drop(self, key: Hashable) -> None:
        """A server keeps by itself what it computes once."""

    def close(self) -> None:
        """Ask nothing more."""
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _complete(self, prompt: str, sampling: Sampling, number: int) -> Answer:
        try:
            text, finish, tokens = self.client.complete(
                prompt,
                sampling.max_new_tokens,
                sampling.temperature,
                sampling.top_p,
                number % SEEDS,
                sampling.stops,
            )
        except Refused as refused:
            full = _TOO_LONG.search(str(refused))
            return Answer("", 0, CONTEXT_FULL if full else REFUSED)
        return Answer(text, tokens, finish)
