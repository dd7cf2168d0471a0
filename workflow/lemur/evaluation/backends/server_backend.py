"""Requests of lm-eval answered by an OpenAI-compatible server.

Prompts are sent as text, chat prompts already in their template, so that one and the same prompt
reaches every backend.
"""

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from lm_eval.api.instance import Instance

from lemur.core.errors import UserError
from lemur.core.progress import Progress
from lemur.evaluation.backends.base import Answers, Backend
from lemur.evaluation.backends.completions import READ_SECONDS, CompletionsClient, Prompt, Refused
from lemur.evaluation.backends.echo import Echo, EchoMissing
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import LONGEST_ANSWER, Decoding
from lemur.inference.stopping import stops_of

# The likelihoods of a prompt's tokens and, of servers that can, the tokens' ids.
ECHOED = Prompt("", max_tokens=1, temperature=0.0, echo=True, logprobs=1, return_token_ids=True)
# Likelihood of a continuation whose prompt the server refused: it is counted as a wrong answer.
REFUSED = Answer(response=(-1e9, False), finish="refused")


class ServerBackend(Backend):
    """``batch`` requests are under way at a time; ``sleep`` is replaced in tests."""

    def __init__(
        self,
        url: str,
        served: str,
        decoding: Decoding,
        batch: int,
        seed: int,
        label: str,
        sleep: Callable[[float], None] = time.sleep,
        seconds: float = READ_SECONDS,
    ):
        self.client = CompletionsClient(url, served, label, sleep, seconds)
        self.decoding, self.label = decoding, label
        self.batch, self.seed = max(1, batch), seed
        self.lengths: dict[str, Future[int]] = {}  # of contexts, in tokens
        self.lock = threading.Lock()

    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Continuations as they come. A prompt that the server refuses is counted as an empty answer
        with finish ``refused``."""

        def answer(number: int) -> Answer:
            try:
                text, finish, tokens = self.client.complete(
                    requests[number].args[0],
                    self.decoding.max_new_tokens or LONGEST_ANSWER,
                    float(self.decoding.temperature or 0.0),
                    float(self.decoding.top_p or 1.0),
                    (self.seed * 1_000_003 + seeds[number]) % 2**31,
                    stops_of(requests[number].args[1]),
                )
            except Refused:
                return Answer(response="", finish="refused")
            return Answer(response=text, tokens=tokens, finish=finish)

        yield from self._each(answer, len(requests), done)

    def loglikelihood(
        self, requests: Sequence[Instance], seeds: Sequence[int], done: int
    ) -> Answers:
        """Log-likelihoods (nats) from the echoed prompt's ``logprobs``. Which tokens are those of the
        continuation is found as it is where the model is loaded here: all after as many as the
        context alone has. A prompt that the server refuses is an answer that is not chosen."""

        def answer(number: int) -> Answer:
            context, rest = requests[number].args[:2]
            if not context.strip():
                raise UserError(
                    f"{self.label}: a continuation without a context: no server shows the likelihood "
                    "of a first token"
                )
            asked = dataclasses.replace(ECHOED, prompt=context + rest)
            try:
                echo = self.client.ask(asked, Echo.read)
                if echo.ids is None:
                    first = echo.first_of(
                        context + rest, len(context + rest) - len(context.rstrip())
                    )
                else:
                    first = self._length(context.rstrip())
                total, greedy, tokens = echo.likelihood(first)
            except Refused:
                return REFUSED
            except EchoMissing as error:
                raise UserError(
                    f"{self.label}: {self.client.url} {error}: multiple choice needs a server that echoes a "
                    "prompt with its logprobs, as vLLM does"
                ) from None
            return Answer(response=(total, greedy), tokens=tokens)

        yield from self._each(answer, len(requests), done)

    def _length(self, context: str) -> int:
        """Tokens of a context, asked once however many continuations it has."""
        with self.lock:
            known = self.lengths.get(context)
            mine = known is None
            known = self.lengths.setdefault(context, Future())
        if mine:
            try:
                asked = Prompt(context, max_tokens=1, return_token_ids=True)
                ids = self.client.ask(asked, lambda found: found.choice["prompt_token_ids"])
                known.set_result(len(ids))
            except BaseException as error:
                known.set_exception(error)
        return known.result()

    def rolling(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Not over a server: windows are cut in tokens, which it does not show."""
        raise UserError(
            f"{self.label}: bits per byte needs the model's tokens: no server gives them"
        )

    def _each(self, request: Callable[[int], Answer], count: int, done: int) -> Answers:
        waiting: dict[Future[Answer], int] = {}
        left = iter(range(count))
        pool = ThreadPoolExecutor(self.batch)
        try:
            with Progress(self.label, count + done, "responses", start=done) as progress:
                while True:
                    while len(waiting) < self.batch and (number := next(left, None)) is not None:
                        waiting[pool.submit(request, number)] = number
                    if not waiting:
                        return
                    failed = None
                    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                        number = waiting.pop(future)
                        error = future.exception()
                        if error is None:
                            progress.add()
                            yield number, future.result()
                        failed = error or failed
                    if failed is not None:
                        # What the others are answered meanwhile is kept before this stops.
                        for future in wait(waiting).done:
                            if future.exception() is None:
                                yield waiting[future], future.result()
                        raise failed
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
