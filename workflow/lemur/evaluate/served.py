"""Requests of lm-eval answered by an OpenAI-compatible server: ``POST <url>/completions``.

Prompts are sent as text, chat prompts already in their template, so that one and the same prompt
reaches every backend. OPENAI_API_KEY, where it is set, is sent as the bearer's token.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import requests as http
from lm_eval.api.instance import Instance
from urllib3.exceptions import NewConnectionError

from lemur.errors import UserError
from lemur.evaluate.echo import Echo, EchoMissing
from lemur.evaluate.stop import cut, stops_of
from lemur.evaluate.tokenised import Answers
from lemur.progress import Progress

BUSY = (408, 425, 429, 500, 502, 503, 504)
TRIES = 6
LONGEST_PAUSE = 60.0  # seconds
MOST_STOPS = 4  # of one request, in OpenAI's interface; the rest is cut here
CONNECT_SECONDS, READ_SECONDS = 10.0, 600.0
PROBE = "a"  # the shortest prompt
# The likelihoods of a prompt's tokens and, of servers that can, the tokens' ids.
ECHOED = {
    "max_tokens": 1,
    "temperature": 0.0,
    "echo": True,
    "logprobs": 1,
    "return_token_ids": True,
}


# Likelihood of a continuation whose prompt the server refused: it is counted as a wrong answer.
REFUSED = {"response": [-1e9, False], "tokens": 0, "finish": "refused"}


class _Refused(Exception):
    """The server answers that this one request cannot be served."""


class ServerBackend:
    """``batch`` requests are under way at a time; ``sleep`` is replaced in tests."""

    def __init__(
        self,
        url: str,
        served: str,
        decoding: dict[str, Any],
        batch: int,
        seed: int,
        label: str,
        sleep: Callable[[float], None] = time.sleep,
        seconds: float = READ_SECONDS,
    ):
        self.url, self.served, self.decoding = url.rstrip("/"), served, decoding
        self.batch, self.seed, self.label = max(1, batch), seed, label
        self.sleep, self.seconds = sleep, seconds
        # A line end, as a file's last one, is no part of it; requests would show it in its complaint.
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not key.isascii() or not key.isprintable():
            raise UserError("OPENAI_API_KEY holds what no header can: set it again")
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.reached = False  # whether the server has answered anything at all
        self.tried = False  # whether it has served a short prompt at full length
        self.lengths: dict[str, Future[int]] = {}  # of contexts, in tokens
        self.lock = threading.Lock()

    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Continuations as they come. A prompt that the server refuses is counted as an empty answer
        with finish ``refused``."""

        def one(number: int) -> dict[str, Any]:
            stops = stops_of(requests[number].args[1])
            asked: dict[str, Any] = {
                "prompt": requests[number].args[0],
                "max_tokens": int(self.decoding.get("max_new_tokens", 256)),
                "temperature": float(self.decoding.get("temperature", 0.0)),
                "top_p": float(self.decoding.get("top_p", 1.0)),
                "seed": (self.seed * 1_000_003 + seeds[number]) % 2**31,
            }
            if stops:
                asked["stop"] = list(stops[:MOST_STOPS])
            try:
                answer = self._ask(asked, _text)
            except _Refused:
                return {"response": "", "tokens": 0, "finish": "refused"}
            text, finish, tokens = answer
            return {"response": cut(text, stops), "tokens": tokens, "finish": finish}

        yield from self._each(one, len(requests), done)

    def loglikelihood(
        self, requests: Sequence[Instance], seeds: Sequence[int], done: int
    ) -> Answers:
        """Log-likelihoods (nats) from the echoed prompt's ``logprobs``. Which tokens are those of the
        continuation is found as it is where the model is loaded here: all after as many as the
        context alone has. A prompt that the server refuses is an answer that is not chosen."""

        def one(number: int) -> dict[str, Any]:
            context, rest = requests[number].args[:2]
            if not context.strip():
                raise UserError(
                    f"{self.label}: a continuation without a context: no server shows the likelihood "
                    "of a first token"
                )
            asked = {**ECHOED, "prompt": context + rest}
            try:
                echo = self._ask(asked, Echo.read)
                if echo.ids is None:
                    first = echo.first_of(
                        context + rest, len(context + rest) - len(context.rstrip())
                    )
                else:
                    first = self._length(context.rstrip())
                total, greedy, tokens = echo.likelihood(first)
            except _Refused:
                return dict(REFUSED)
            except EchoMissing as error:
                raise UserError(
                    f"{self.label}: {self.url} {error}: multiple choice needs a server that echoes a "
                    "prompt with its logprobs, as vLLM does"
                ) from None
            return {"response": [total, greedy], "tokens": tokens}

        yield from self._each(one, len(requests), done)

    def _length(self, context: str) -> int:
        """Tokens of a context, asked once however many continuations it has."""
        with self.lock:
            known = self.lengths.get(context)
            mine = known is None
            known = self.lengths.setdefault(context, Future())
        if mine:
            try:
                asked = {"prompt": context, "max_tokens": 1, "return_token_ids": True}
                ids = self._ask(asked, lambda choice, _: choice["prompt_token_ids"])
                known.set_result(len(ids))
            except BaseException as error:
                known.set_exception(error)
        return known.result()

    def rolling(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Not over a server: windows are cut in tokens, which it does not show."""
        raise UserError(
            f"{self.label}: bits per byte needs the model's tokens: no server gives them"
        )

    def _each(self, one: Callable[[int], dict[str, Any]], count: int, done: int) -> Answers:
        waiting: dict[Future[dict[str, Any]], int] = {}
        left = iter(range(count))
        pool = ThreadPoolExecutor(self.batch)
        try:
            with Progress(self.label, count + done, "responses", start=done) as progress:
                while True:
                    while len(waiting) < self.batch and (number := next(left, None)) is not None:
                        waiting[pool.submit(one, number)] = number
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

    def _ask(
        self, asked: dict[str, Any], read: Callable[[dict[str, Any], dict[str, Any]], Any]
    ) -> Any:
        """``read`` of the answer's first choice."""
        body = {"model": self.served, **asked}

        def first(answer: http.Response) -> Any:
            if answer.status_code != 200:
                self._refuse(answer, body)
            found = answer.json()
            return read(found["choices"][0], found.get("usage") or {})

        return self._request(body, first)

    def _request(self, body: dict[str, Any], read: Callable[[http.Response], Any]) -> Any:
        """``read`` of an answer, after as many tries as a busy server needs."""
        address = f"{self.url}/completions"
        for attempt in range(1, TRIES + 1):
            pause = min(2.0 ** (attempt - 1), LONGEST_PAUSE)
            try:
                answer = self._post(address, body)
                self.reached = True
                if answer.status_code not in BUSY:
                    return read(answer)
                why = f"HTTP {answer.status_code}"
                pause = _retry_after(answer, pause)
            except (http.exceptions.InvalidURL, http.exceptions.InvalidSchema) as error:
                raise UserError(f"{self.label}: {address}: no such address ({error})") from None
            except (
                http.ConnectionError,
                http.Timeout,
                http.exceptions.ChunkedEncodingError,
                http.exceptions.ContentDecodingError,
                http.exceptions.TooManyRedirects,
            ) as error:
                if not self.reached and _nobody_there(error):
                    raise UserError(
                        f"{self.label}: {address}: no server answers there ({_cause(error)}): what was "
                        "generated is kept, the same command continues"
                    ) from None
                why = f"no answer ({type(error).__name__})"
            except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
                why = f"an answer that is no completion ({type(error).__name__}: {error})"
            if attempt < TRIES:
                self.sleep(pause)
        raise UserError(
            f"{self.label}: {address}: {why}, {TRIES} times: what was generated is kept, the same "
            "command continues"
        )

    def _post(self, address: str, body: dict[str, Any]) -> http.Response:
        with http.Session() as session:
            return session.post(
                address, json=body, headers=self.headers, timeout=(CONNECT_SECONDS, self.seconds)
            )

    def _refuse(self, answer: http.Response, body: dict[str, Any]) -> None:
        """Servers word in many ways that a prompt is too long, so that one that is refused is told
        from a request that can never be served by a short prompt with the same options."""
        if 400 <= answer.status_code < 500 and answer.status_code != 401:
            short = {**body, "prompt": PROBE}
            if self.tried:
                short["max_tokens"] = 1
            if self._request(short, lambda found: found.status_code) == 200:
                self.tried = True
                raise _Refused
        text = " ".join(answer.text.split())[:300]
        hint = ": set OPENAI_API_KEY" if answer.status_code in (401, 403) else ""
        raise UserError(
            f"{self.label}: {self.url} refuses '{self.served}' with HTTP {answer.status_code}"
            f"{hint}: {text}"
        )


def _nobody_there(error: Exception) -> bool:
    """Whether no connection came about: the name is unknown, the port is closed, or its certificate
    is not accepted. A connection that is cut, or slow, is none of these."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, http.exceptions.SSLError) or isinstance(reason, NewConnectionError)


def _cause(error: Exception) -> str:
    """The last clause of what urllib3 says, which names the cause."""
    return " ".join(str(error).split()).rsplit(": ", 1)[-1].strip("')\"")[:100]


def _retry_after(answer: http.Response, otherwise: float) -> float:
    try:
        return min(max(0.0, float(answer.headers["Retry-After"])), LONGEST_PAUSE)
    except (KeyError, ValueError):
        return otherwise


def _text(choice: dict[str, Any], usage: dict[str, Any]) -> tuple[str, str, int]:
    """Text, why it ended (stop, end or length) and tokens of a completion."""
    text = choice["text"]
    if not isinstance(text, str):
        raise TypeError("'text' is no string")
    finish = choice.get("finish_reason")
    if finish == "stop" and not isinstance(choice.get("stop_reason"), str):
        # vLLM says which stop it was; others do not, and an end token is the likelier one.
        finish = "end" if "stop_reason" in choice else "stop"
    return text, str(finish or "stop"), int(usage.get("completion_tokens") or 0)
