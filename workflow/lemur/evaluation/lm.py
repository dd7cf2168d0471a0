"""The ``LM`` of lm-eval through which every benchmark runs: one that asks a model and writes every
response down as it comes, and one that replays what was written.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from lemur.chat.chatml import as_text
from lemur.core.errors import UserError
from lemur.evaluation.response_journal import Journal, Response, key_of

LONGEST = 16_384  # characters: four times what the longest answer of the recipes takes


@dataclasses.dataclass(frozen=True)
class Dialogue:
    """What a ChatML prompt was made of; ``reply``: it ends with the header of an answer, else its
    last message is left open."""

    messages: tuple[dict[str, str], ...]
    reply: bool


@dataclasses.dataclass(frozen=True)
class Request:
    """One that was made: its response's ``key``, its task and the ``number`` of the problem there, which
    ``choice`` of the problem's and which ``repeat`` of the same request."""

    key: str
    task: str
    number: int
    choice: int
    repeat: int


def answers(response: object, kind: str) -> bool:
    """Whether ``response`` is of the type that requests of lm-eval's ``kind`` are answered with:
    a text, a likelihood and whether it is the greedy continuation, or a likelihood."""
    if kind == "generate_until":
        return isinstance(response, str)
    if kind == "loglikelihood":
        return isinstance(response, tuple)
    return isinstance(response, float)


class _Keyed(LM):
    """Gives every request its key; requests with equal text count as repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Request] = []
        self._seen: dict[str, int] = {}

    def keyed(self, requests: Sequence[Instance]) -> list[str]:
        """Keys of ``requests``, which are remembered as places of the output, in order."""
        keys = []
        for request in requests:
            base = key_of(request.request_type, request.args, 0)
            repeat = self._seen.get(base, 0)
            self._seen[base] = repeat + 1
            key = base if repeat == 0 else key_of(request.request_type, request.args, repeat)
            self.places.append(Request(key, request.task_name, request.doc_id, request.idx, repeat))
            keys.append(key)
        return keys


def _no_number(response: object) -> bool:
    value = response[0] if isinstance(response, tuple) else response
    return isinstance(value, float) and math.isnan(value)


def prompt_digest(request: Instance) -> str:
    """sha256 of a request's prompt as the model gets it."""
    return hashlib.sha256(str(request.args[0]).encode("utf-8", "surrogatepass")).hexdigest()


class ReplayLM(_Keyed):
    """Answers from recorded responses; a request that was not recorded is a UserError.

    ``description_in_user``: what lm-eval makes a system message begins the user's first instead.
    ``conversations``: a problem's question is a whole conversation, as JSON; its next turn is asked for.
    ``longest``: characters of an answer that lm-eval's metrics get to read, half of them from its
    end. Some of its patterns take the square of that in time, hours on an endless answer.
    """

    description_in_user = False
    conversations = False

    def __init__(self, recorded: Mapping[str, Response], source: str, longest: int | None = None):
        super().__init__()
        self.recorded, self.source, self.longest = recorded, source, longest
        self.dialogues: dict[str, Dialogue] = {}

    def _all(self, requests: Sequence[Instance]) -> list[Any]:
        responses = []
        for request, key in zip(requests, self.keyed(requests), strict=True):
            if key not in self.recorded:
                raise UserError(
                    f"{self.source}: no response for document {request.doc_id} of "
                    f"{request.task_name}: generate again with this limit and these prompts"
                )
            response = self.recorded[key].response
            if not answers(response, request.request_type):
                raise UserError(
                    f"{self.source}: the response to document {request.doc_id} of "
                    f"{request.task_name} is damaged, of type {type(response).__name__}: generate again"
                )
            responses.append(response)
        return responses

    def generate_until(self, requests: list[Instance]) -> list[str]:
        answers = self._all(requests)
        return answers if self.longest is None else [self._readable(answer) for answer in answers]

    def _readable(self, answer: str) -> str:
        assert self.longest is not None
        half = self.longest // 2
        return answer if len(answer) <= self.longest else f"{answer[:half]}\n{answer[-half:]}"

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        return [(float(value), bool(greedy)) for value, greedy in self._all(requests)]

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        return [float(value) for value in self._all(requests)]

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        if self.conversations:
            chat_history = json.loads(chat_history[-1]["content"])
        if self.description_in_user and chat_history[0]["role"] == "system":
            system, first, *rest = chat_history
            chat_history = [{**first, "content": system["content"] + first["content"]}, *rest]
        prompt = as_text(chat_history, add_generation_prompt)
        self.dialogues[prompt] = Dialogue(tuple(chat_history), add_generation_prompt)
        return prompt

    @property
    def tokenizer_name(self) -> str:
        return "chatml"


class RecordingLM(ReplayLM):
    """Asks ``backend`` for what the journal does not hold and writes each response as it comes.

    A backend has ``generate(requests)``, ``loglikelihood(requests)`` and ``rolling(requests)``,
    iterators of (index, answer) in any order.
    """

    def __init__(self, journal: Journal, backend: Any):
        super().__init__(journal.known, str(journal.output))
        self.journal, self.backend = journal, backend
        backend.dialogues = self.dialogues

    def _run(self, requests: list[Instance], ask: Any) -> None:
        before = dict(self._seen)
        keys = self.keyed(requests)
        self._seen = before  # replaying, which follows, counts the same requests again
        del self.places[len(self.places) - len(keys) :]
        missing = [
            number
            for number, key in enumerate(keys)
            if key not in self.recorded
            or not answers(self.recorded[key].response, requests[number].request_type)
        ]
        asked = [requests[number] for number in missing]
        seeds = [int(keys[number][:12], 16) for number in missing]
        for index, answer in ask(asked, seeds, len(requests) - len(missing)):
            request = asked[index]
            if _no_number(answer.response):
                raise UserError(
                    f"{self.source}: the model's likelihood of document {request.doc_id} of "
                    f"{request.task_name} is not a number: its weights are damaged, or too large for "
                    "this precision"
                )
            key = keys[missing[index]]
            self.journal.add(Response(**vars(answer), key=key, prompt=prompt_digest(request)))

    def generate_until(self, requests: list[Instance]) -> list[str]:
        self._run(requests, self.backend.generate)
        return super().generate_until(requests)

    def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
        self._run(requests, self.backend.loglikelihood)
        return super().loglikelihood(requests)

    def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
        self._run(requests, self.backend.rolling)
        return super().loglikelihood_rolling(requests)
