"""Conversations that an engine keeps between their turns: keys and values are computed once.

The turns of an agent's episode share a beginning that grows. Between two turns its world works; its
keys and values are parked meanwhile, out of the rows that decode, and the next turn encodes only
what is new. A new conversation that begins like another one, as episodes of one task family do with
their instructions and solved examples, copies what that one has.

Conversations are added while others decode, so that a batch stays full whatever their worlds do.
"""

import dataclasses
from collections import deque
from collections.abc import Hashable, Sequence

import torch

from lemur.inference import model_tokenizer, next_token, speculative
from lemur.inference.attention import using
from lemur.inference.engine import Engine, Generated, Row, Wanted
from lemur.inference.kv_cache import Slots
from lemur.inference.speculative import Heard
from lemur.inference.stopping import StopCheck

PASS_TOKENS = 512  # of a prompt that one forward pass encodes
SHORTEST_COPY = 32  # tokens: below, copying costs more than encoding
REMEMBERED = 4  # conversations that have ended, whose beginnings new ones copy
ROUND = 1024  # a slot's capacity grows by multiples of so many tokens


@dataclasses.dataclass(frozen=True)
class _Parked:
    """Token ids and their keys and values, [layers, 2 * key heads, tokens, head]."""

    ids: tuple[int, ...]
    kept: torch.Tensor


class Conversations:
    """Up to ``rows`` conversations of one ``engine`` decode together; any number is parked.

    ``encoded`` counts the tokens of prompts that went through the model, ``reused`` those whose
    keys and values were there already.
    """

    def __init__(self, engine: Engine, rows: int):
        self.engine, self.rows = engine, max(1, rows)
        self.slots = Slots(engine.layers, self.rows, ROUND, engine.device, None)
        self.live: list[Row] = []
        self.keys: list[Hashable] = []  # of live rows
        self.prompts: list[tuple[int, ...]] = []  # of live rows
        self.chosen: list[list[int]] = []  # of live rows: their next tokens
        self.waiting: deque[tuple[Hashable, Wanted]] = deque()
        self.parked: dict[Hashable, _Parked] = {}
        self.ended: deque[_Parked] = deque(maxlen=REMEMBERED)
        self.checks: dict[tuple[str, ...], StopCheck] = {}
        self.heard = Heard()
        self.encoded = self.reused = 0

    def add(self, key: Hashable, wanted: Wanted) -> None:
        """Continue the conversation ``key`` with the whole prompt of its next turn."""
        self.waiting.append((key, wanted))

    def drop(self, key: Hashable) -> None:
        """A conversation has ended; what it has is kept for those that begin alike."""
        if (parked := self.parked.pop(key, None)) is not None:
            self.ended.append(parked)

    @property
    def busy(self) -> bool:
        """Whether a turn is being answered."""
        return bool(self.live or self.waiting)

    @torch.inference_mode()
    def step(self) -> list[tuple[Hashable, Generated]]:
        """Admit what waits, decode one pass, and return the turns that ended by it."""
        with using(self.slots):
            while self.waiting and len(self.live) < self.rows:
                self._admit(*self.waiting.popleft())
            if not self.live:
                return []
            ended, kept = [], []
            for number, tokens in enumerate(self.chosen):
                row = self.live[number]
                if finish := self.engine.extend(row, tokens):
                    ended.append((self.keys[number], Generated(tuple(row.ids), finish)))
                    self._park(number)
                else:
                    kept.append(number)
            if ended:
                order = self.engine.compact(list(range(len(self.live))), kept, self.slots)
                self.live = [self.live[number] for number in order]
                self.keys = [self.keys[number] for number in order]
                self.prompts = [self.prompts[number] for number in order]
            self.chosen = self.engine.step(self.live, self.slots) if self.live else []
            return ended

    def _park(self, number: int) -> None:
        """Keep what row ``number`` has: of its prompt and answer what went through the model."""
        ids = (*self.prompts[number], *self.live[number].ids)
        ids = ids[: int(self.slots.lengths[number])]
        kept = self.slots.kept[:, number, :, : len(ids)].clone()
        self.parked[self.keys[number]] = _Parked(ids, kept)

    def _admit(self, key: Hashable, wanted: Wanted) -> None:
        """Encode of a prompt what no conversation has, into the slot after the live ones."""
        at, prompt = len(self.live), wanted.prompt
        self._make_room(len(prompt) + wanted.max_new_tokens + speculative.MOST)
        start = self._copy(key, prompt, at)
        self.parked.pop(key, None)
        self.slots.lengths[at] = start
        self.reused, self.encoded = self.reused + start, self.encoded + len(prompt) - start
        hidden = None
        for first in range(start, len(prompt), PASS_TOKENS):
            part = prompt[first : first + PASS_TOKENS]
            hidden = self._encode(part, at)
        assert hidden is not None
        scores = self.engine.logits(hidden[:, -1])
        check = self.checks.setdefault(wanted.stops, StopCheck(wanted.stops))
        text = model_tokenizer.Decoding(self.engine.tokenizer, prompt)
        row = Row(at, wanted, check, text, (), self.heard)
        self.live.append(row)
        self.keys.append(key)
        self.prompts.append(prompt)
        self.chosen.append([self.engine.drawn(row, scores[0], next_token.best(scores)[0])])

    def _encode(self, part: Sequence[int], at: int) -> torch.Tensor:
        """Hidden states [1, tokens, hidden] of tokens that follow what slot ``at`` holds."""
        positions = self.slots.resume(at, len(part), self.engine.group, self.engine.model.dtype)
        hidden = self.engine.forward(torch.tensor([part]), positions, self.slots)
        self.slots.lengths[at] += len(part)
        return hidden

    def _copy(self, key: Hashable, prompt: tuple[int, ...], at: int) -> int:
        """Fill slot ``at`` with the beginning of ``prompt`` that some conversation has, at least one
        token less than it; its tokens."""
        most, source = 0, None
        mine = self.parked.get(key)
        for parked in [*([mine] if mine else []), *self.ended, *self.parked.values()]:
            if (count := _common(parked.ids, prompt)) > most:
                most, source = count, parked.kept
        for number, (row, before) in enumerate(zip(self.live, self.prompts, strict=True)):
            ids = (*before, *row.ids)[: int(self.slots.lengths[number])]
            if (count := _common(ids, prompt)) > most:
                most, source = count, self.slots.kept[:, number]
        if source is None or most < SHORTEST_COPY:
            return 0
        self.slots.kept[:, at, :, :most] = source[:, :, :most]
        return most

    def _make_room(self, tokens: int) -> None:
        if tokens > self.slots.capacity:
            self.slots.grow(-(-tokens // ROUND) * ROUND)


def _common(ids: Sequence[int], prompt: Sequence[int]) -> int:
    """Tokens that both begin with, fewer than ``prompt`` has."""
    limit = min(len(ids), len(prompt) - 1)
    if ids[:limit] == prompt[:limit]:
        return limit
    low, high = 0, limit  # the first difference, by halves: slices compare fast
    while low < high:
        middle = (low + high + 1) // 2
        if ids[:middle] == prompt[:middle]:
            low = middle
        else:
            high = middle - 1
    return low
