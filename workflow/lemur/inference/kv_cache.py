"""Keys and values of rows that decode together, and of a prompt prefix that they share.

Rows keep their keys and values in fixed slots, each row written from position 0 of its slot, so
that a finished row's slot is given to the next request and nothing is padded on the left. A pass may
take several tokens a row, the last of which are guesses: what was written of a refused guess is
written over by the next pass.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, CacheLayerMixin

# What attending to two groups of rows by two calls costs beside one, in keys of rows that are read
# in vain: measured on a CPU.
_SPLIT = 160


@dataclasses.dataclass
class Prefix:
    """A shared prefix: its token ids, and its keys and values, a tensor [1, key heads, length,
    head] a layer."""

    ids: tuple[int, ...]
    keys: list[torch.Tensor]
    values: list[torch.Tensor]

    @property
    def length(self) -> int:
        """Tokens."""
        return len(self.ids)

    def before(
        self, layer: int, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values [rows, key heads, width, head] with the prefix's before them."""
        rows = len(key)
        kept = ((self.keys[layer], key), (self.values[layer], value))
        both = (torch.cat([prefix.expand(rows, -1, -1, -1), other], 2) for prefix, other in kept)
        return next(both), next(both)


@dataclasses.dataclass
class Part:
    """Rows ``first`` to ``end`` that attend by one call: ``bias`` [rows, 1, width * heads, used] is
    added to the scores of the queries that ``heads`` query heads of one key head make, -inf for what
    a token does not see; keys and values [rows, key heads, used, head] of each layer."""

    first: int
    end: int
    bias: torch.Tensor
    keys: Sequence[torch.Tensor]
    values: Sequence[torch.Tensor]


class _Layer(CacheLayerMixin):
    """Slots of one layer, as transformers asks for them."""

    is_sliding = False

    def __init__(self, slots: "Slots", number: int):
        super().__init__()
        self.slots, self.number = slots, number

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both [rows, key heads, width, head]."""
        both = torch.cat([key_states, value_states], 1)
        self.slots.write(self.number, both.transpose(1, 2).flatten(0, 1))
        return key_states, value_states

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0

    def get_seq_length(self) -> int:
        return 0

    def get_max_length(self) -> int:
        return self.slots.capacity


class Slots(Cache):
    """The cache of a batch: ``rows`` slots of ``capacity`` tokens, after an optional prefix.

    ``lengths`` are how many tokens of each slot are in use. ``prefill`` and ``step`` say what the
    next forward pass writes and sees, the same for all layers.
    """

    def __init__(
        self, layers: int, rows: int, capacity: int, device: torch.device, prefix: Prefix | None
    ):
        super().__init__(layers=[_Layer(self, number) for number in range(layers)])
        self.rows, self.capacity, self.prefix = rows, capacity, prefix
        self.kept: torch.Tensor | None = None
        self.before = prefix.length if prefix is not None else 0
        self.lengths = torch.zeros(rows, dtype=torch.long, device=device)
        self.prefilling = True
        self.parts: list[Part] = []

    def write(self, layer: int, both: torch.Tensor) -> None:
        """Keep keys and values [rows * width, 2 * key heads, head] at the places of the pass."""
        if self.kept is None:
            heads, size = both.shape[1:]
            shape = (len(self.layers), self.rows, heads, self.capacity, size)
            self.kept = both.new_zeros(shape)
            self.heads = torch.arange(heads, device=both.device)
            self.by_layer = self.kept.unbind(0)
        row, at = self.places
        self.by_layer[layer].index_put_((row, self.heads, at), both)

    def prefill(self, first: int, lengths: torch.Tensor, width: int) -> torch.Tensor:
        """New rows of ``lengths`` tokens, padded to ``width``, from slot ``first`` on; returns
        their positions [rows, width]."""
        active = torch.arange(first, first + len(lengths), device=lengths.device)
        self.lengths[active] = lengths
        at = torch.arange(width, device=lengths.device)
        self._write(active, at.expand(len(lengths), -1))
        self.prefilling = True
        return (self.before + at).expand(len(lengths), -1)

    def prompts(self, first: int, lengths: Sequence[int]) -> torch.Tensor:
        """The same without padding, one row after the other; positions [tokens]."""
        device = self.lengths.device
        every = torch.tensor(lengths, device=device)
        self.lengths[first : first + len(lengths)] = every
        at = torch.cat([torch.arange(length, device=device) for length in lengths])
        rows = torch.arange(first, first + len(lengths), device=device).repeat_interleave(every)
        self.places = rows[:, None], at[:, None]
        self.prefilling = True
        return self.before + at

    def step(self, count: int, width: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
        """The first ``count`` rows, of which ``prefill`` or ``prompts`` has written, continue by
        ``width`` tokens with ``heads`` query heads a key head; returns their positions."""
        device = self.lengths.device
        positions = self.lengths[:count, None] + torch.arange(width, device=device)
        self._write(torch.arange(count, device=device), positions)
        used = (positions[:, -1] + 1).tolist()
        ends = split(used) if device.type == "cpu" else [count]
        self.parts = []
        for first, end in zip([0, *ends], ends, strict=False):
            most = max(used[first:end])
            mine = positions[first:end]
            unseen = torch.arange(most, device=device) > mine[:, :, None, None]
            bias = torch.zeros(unseen.shape, dtype=dtype, device=device)
            bias.masked_fill_(unseen, float("-inf"))
            bias = bias.expand(-1, -1, heads, -1).reshape(end - first, 1, width * heads, most)
            # A view of all layers is made in one call.
            seen = self.kept[:, first:end, :, :most].chunk(2, 2)
            self.parts.append(Part(first, end, bias, *(half.unbind(0) for half in seen)))
        self.prefilling = False
        return self.before + positions

    def resume(self, row: int, width: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
        """Slot ``row`` alone continues by ``width`` tokens of a prompt, after its ``lengths`` in use;
        returns their positions [1, width]. ``heads`` as in ``step``."""
        device = self.lengths.device
        positions = self.lengths[row : row + 1, None] + torch.arange(width, device=device)
        self._write(torch.tensor([row], device=device), positions)
        self.parts, used = [], int(self.lengths[row]) + width
        if self.kept is None:
            self.prefilling = True  # nothing is there yet: the prompt attends to itself
            return positions
        unseen = torch.arange(used, device=device) > positions[:, :, None, None]
        bias = torch.zeros(unseen.shape, dtype=dtype, device=device)
        bias.masked_fill_(unseen, float("-inf"))
        bias = bias.expand(-1, -1, heads, -1).reshape(1, 1, width * heads, used)
        seen = self.kept[:, row : row + 1, :, :used].chunk(2, 2)
        self.parts.append(Part(0, 1, bias, *(half.unbind(0) for half in seen)))
        self.prefilling = False
        return positions

    def grow(self, capacity: int) -> None:
        """Make room for ``capacity`` tokens a slot."""
        if self.kept is not None:
            wider = self.kept.new_zeros((*self.kept.shape[:3], capacity, self.kept.shape[4]))
            wider[:, :, :, : self.capacity] = self.kept
            self.kept, self.by_layer = wider, wider.unbind(0)
        self.capacity = capacity

    def _write(self, slots: torch.Tensor, positions: torch.Tensor) -> None:
        """The next pass writes ``positions`` [rows, width] of ``slots`` [rows]."""
        rows = slots[:, None].expand_as(positions)
        self.places = rows.reshape(-1, 1), positions.reshape(-1, 1)

    def move(self, source: int, target: int) -> None:
        """Copy slot ``source`` over slot ``target`` (which has finished)."""
        length = int(self.lengths[source])
        self.kept[:, target, :, :length] = self.kept[:, source, :, :length]
        self.lengths[target] = length

    def taken(self, row: int, ids: tuple[int, ...]) -> Prefix:
        """The tokens of a slot as a prefix for others."""
        kept = self.kept[:, row : row + 1, :, : len(ids)].clone()
        keys, values = (list(half.unbind(0)) for half in kept.chunk(2, 2))
        return Prefix(ids, keys, values)


def split(used: Sequence[int]) -> list[int]:
    """Where groups of rows end that are cheapest attended to: one group, or two of unlike length."""
    count = len(used)
    costs = {count: count * max(used)}
    for end in range(1, count):
        costs[end] = end * max(used[:end]) + (count - end) * max(used[end:]) + _SPLIT
    end = min(costs, key=lambda length: (costs[length], -length))
    return [count] if end == count else [end, count]
