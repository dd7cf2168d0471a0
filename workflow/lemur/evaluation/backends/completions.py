"""A client of an OpenAI-compatible server: ``POST <url>/completions``, tried again while it is busy.

Prompts are sent as text. OPENAI_API_KEY, where it is set, is sent as the bearer's token.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import requests as http
from urllib3.exceptions import NewConnectionError

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.inference.stopping import cut

BUSY = (408, 425, 429, 500, 502, 503, 504)
TRIES = 6
LONGEST_PAUSE = 60.0  # seconds
MOST_STOPS = 4  # of one request, in OpenAI's interface; the rest is cut here
CONNECT_SECONDS, READ_SECONDS = 10.0, 600.0
PROBE = "a"  # the shortest prompt
Read = TypeVar("Read")


class Refused(Exception):
    """The server answers that this one request cannot be served; the text is what it says of it."""


@dataclasses.dataclass(frozen=True)
class Prompt:
    """A request, by the names of OpenAI's interface. ``echo``, ``logprobs`` and ``return_token_ids`` ask
    for the prompt's tokens with it, as vLLM does."""

    prompt: str
    max_tokens: int
    temperature: float | None = contracts.optional()
    top_p: float | None = contracts.optional()
    seed: int | None = contracts.optional()
    stop: tuple[str, ...] | None = contracts.optional()
    echo: bool | None = contracts.optional()
    logprobs: int | None = contracts.optional()
    return_token_ids: bool | None = contracts.optional()


@dataclasses.dataclass(frozen=True)
class Completion:
    """The server's JSON: the first choice, and the usage beside it."""

    choice: dict[str, Any]
    usage: dict[str, Any]


class CompletionsClient:
    """Asks the model that ``url`` serves as ``served``; may be used by many threads.

    ``label`` begins each complaint; ``seconds`` is how long an answer is waited for; ``sleep`` is
    replaced in tests.
    """

    def __init__(
        self,
        url: str,
        served: str,
        label: str,
        sleep: Callable[[float], None] = time.sleep,
        seconds: float = READ_SECONDS,
    ):
        self.url, self.served, self.label = url.rstrip("/"), served, label
        self.sleep, self.seconds = sleep, seconds
        # A line end, as a file's last one, is no part of it; requests would show it in its complaint.
        key = os.environ.get("OPENAI_API_KEY", "").strip()
        if not key.isascii() or not key.isprintable():
            raise UserError("OPENAI_API_KEY holds what no header can: set it again")
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.reached = False  # whether the server has answered anything at all
        self.tried = False  # whether it has served a short prompt at full length

    def complete(
        self,
        prompt: str,
        max_tokens: int,
        temperature: float,
        top_p: float,
        seed: int,
        stops: Sequence[str],
    ) -> tuple[str, str, int]:
        """The answer before the first of ``stops``, why it ended (stop, end or length) and its tokens;
        raises as ``ask`` does."""
        asked = Prompt(
            prompt, max_tokens, temperature, top_p, seed, tuple(stops[:MOST_STOPS]) or None
        )
        text, finish, tokens = self.ask(asked, _text)
        return cut(text, stops), finish, tokens

    def ask(self, asked: Prompt, read: Callable[[Completion], Read]) -> Read:
        """``read`` of what the server answers.

        Raises:
            Refused: the server serves other prompts with the same options, but not this one.
            UserError: nobody answers, or nothing that is asked so can be served.
        """

        def first(answer: http.Response) -> Read:
            if answer.status_code != 200:
                self._refuse(answer, asked)
            found = answer.json()
            return read(Completion(found["choices"][0], found.get("usage") or {}))

        return self._request(asked, first)

    def _request(self, asked: Prompt, read: Callable[[http.Response], Read]) -> Read:
        """``read`` of an answer, after as many tries as a busy server needs."""
        address = f"{self.url}/completions"
        for attempt in range(1, TRIES + 1):
            pause = min(2.0 ** (attempt - 1), LONGEST_PAUSE)
            try:
                answer = self._post(address, asked)
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

    def _post(self, address: str, asked: Prompt) -> http.Response:
        body = {"model": self.served, **contracts.plain(asked)}
        with http.Session() as session:
            return session.post(
                address, json=body, headers=self.headers, timeout=(CONNECT_SECONDS, self.seconds)
            )

    def _refuse(self, answer: http.Response, asked: Prompt) -> None:
        """Servers word in many ways that a prompt is too long, so that one that is refused is told
        from a request that can never be served by a short prompt with the same options."""
        text = " ".join(answer.text.split())[:300]
        if 400 <= answer.status_code < 500 and answer.status_code != 401:
            longest = 1 if self.tried else asked.max_tokens
            short = dataclasses.replace(asked, prompt=PROBE, max_tokens=longest)
            if self._request(short, lambda found: found.status_code) == 200:
                self.tried = True
                raise Refused(f"HTTP {answer.status_code}: {text}")
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


def _text(completion: Completion) -> tuple[str, str, int]:
    """Text, why it ended (stop, end or length) and tokens of a completion."""
    choice = completion.choice
    text = choice["text"]
    if not isinstance(text, str):
        raise TypeError("'text' is no string")
    finish = choice.get("finish_reason")
    if finish == "stop" and not isinstance(choice.get("stop_reason"), str):
        # vLLM says which stop it was; others do not, and an end token is the likelier one.
        finish = "end" if "stop_reason" in choice else "stop"
    return text, str(finish or "stop"), int(completion.usage.get("completion_tokens") or 0)
