"""Requests of lm-eval answered by an ``Engine``: batched by length, shared prefixes once."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from lm_eval.api.instance import Instance

from lemur.core.progress import Progress
from lemur.evaluation.backends.base import Answers
from lemur.evaluation.backends.tokenized import Spans, Tokenised
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import Decoding
from lemur.inference.engine import Engine, Wanted, batched_by_tokens
from lemur.inference.stopping import cut, stops_of

SHORTEST_PREFIX = 32  # tokens: below, sharing costs more than it saves
SUM_TOKENS = 2048  # positions whose likelihoods are added up at once
# Positions scored over the vocabulary at once. A CPU is faster where their scores stay in its cache; its
# products of fewer rows round otherwise, so that no part is smaller.
HEAD_TOKENS = {"cpu": 512}


def common(rows: Sequence[Sequence[int]]) -> int:
    """Length of the longest common beginning that leaves every row at least one token."""
    if len(rows) < 2:
        return 0
    low, high = min(rows), max(rows)
    limit = min(map(len, rows)) - 1
    return next((at for at in range(limit) if low[at] != high[at]), limit)


def parts(start: int, end: int, least: int) -> list[slice]:
    """Positions from ``start`` to ``end`` in parts of ``least``; what is left over is the last one's."""
    starts = range(start, max(start + 1, end - least + 1), least)
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], end], strict=True)]


class TransformersBackend(Tokenised):
    """``batch`` rows decode together on an ``Engine``."""

    def __init__(self, engine: Engine, decoding: Decoding, batch: int, seed: int, label: str):
        super().__init__(
            engine.tokenizer, engine.document_ids, engine.context, decoding, seed, label
        )
        self.engine, self.batch = engine, max(1, batch)

    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Continuations; a prompt too long for the context loses its beginning and says so."""
        prompts, short, new = self.prompts(requests)
        room = self.context - new
        groups: dict[tuple[Any, bool], list[int]] = {}
        for number, request in enumerate(requests):
            whole = len(prompts[number]) <= room
            groups.setdefault((request.task_name, whole), []).append(number)
        with Progress(self.label, len(requests) + done, "responses", start=done) as progress:
            for members in groups.values():
                for number, answer in self._group(members, requests, short, seeds, new):
                    progress.add()
                    lost = len(prompts[number]) - len(short[number])
                    yield number, dataclasses.replace(answer, truncated=lost)

    def _group(
        self,
        members: list[int],
        requests: Sequence[Instance],
        prompts: list[list[int]],
        seeds: Sequence[int],
        new: int,
    ) -> Answers:
        shared = common([prompts[number] for number in members])
        shared = shared if shared >= SHORTEST_PREFIX else 0
        wanted = []
        for number in members:
            wanted.append(
                Wanted(
                    prompt=tuple(prompts[number][shared:]),
                    max_new_tokens=new,
                    stops=stops_of(requests[number].args[1]),
                    temperature=float(self.decoding.temperature or 0.0),
                    top_p=float(self.decoding.top_p or 1.0),
                    number=self.seed << 48 | seeds[number],
                )
            )
        prefix = self.engine.prefix(prompts[members[0]][:shared]) if shared else None
        for index, made in self.engine.generate(wanted, self.batch, prefix):
            text = self.text(prompts[members[index]], made.ids)
            response = cut(text, wanted[index].stops)
            tokens = len(made.ids)
            yield members[index], Answer(response=response, tokens=tokens, finish=made.finish)

    def scored(self, spans: Spans, done: int, form: Any, greedy: bool = True) -> Answers:
        """Windows of all requests together, the longest first."""
        windows = [(number, *span) for number, many in enumerate(spans) for span in many]
        windows.sort(key=lambda window: (-len(window[1]), window[0]))
        left = [len(many) for many in spans]
        totals, likeliest = [0.0] * len(spans), [True] * len(spans)
        amount = sum(len(window[1]) for window in windows)
        with Progress(self.label, amount, "tokens") as progress:
            for number in [number for number, count in enumerate(left) if count == 0]:
                yield number, Answer(response=form(0.0, True))
            for group in batched_by_tokens([len(window[1]) for window in windows], self._limit()):
                part = [windows[index] for index in group]
                for (number, given, _), (total, best) in zip(
                    part, self._score(part, greedy), strict=True
                ):
                    totals[number] += total
                    likeliest[number] &= best
                    left[number] -= 1
                    progress.add(len(given))
                    if left[number] == 0:
                        tokens = sum(len(after) for _, after in spans[number])
                        response = form(totals[number], likeliest[number])
                        yield number, Answer(response=response, tokens=tokens)

    def _limit(self) -> int:
        return 2048 if self.engine.device.type == "cpu" else 32768

    @torch.inference_mode()
    def _score(
        self, part: list[tuple[int, list[int], list[int]]], greedy: bool = True
    ) -> list[tuple[float, bool]]:
        """Of each window the sum of its log-likelihoods, and whether it is the greedy continuation;
        always so where that is not asked for."""
        hidden = self.engine.hidden([given for _, given, _ in part])
        at_once = HEAD_TOKENS.get(hidden.device.type, SUM_TOKENS)
        results = []
        for row, (_, given, after) in enumerate(part):
            states = hidden[row, len(given) - len(after) : len(given)]
            wanted = torch.tensor(after, device=hidden.device)
            total, best = 0.0, True
            for start in range(0, len(after), SUM_TOKENS):
                likelihoods = []
                for here in parts(start, min(start + SUM_TOKENS, len(after)), at_once):
                    scores, aim = self.engine.logits(states[here]).log_softmax(-1), wanted[here]
                    likelihoods.append(scores.gather(1, aim[:, None]))
                    best = best and (not greedy or bool((scores.argmax(-1) == aim).all()))
                total += float(torch.cat(likelihoods).double().sum())
            results.append((total, best))
        return results
