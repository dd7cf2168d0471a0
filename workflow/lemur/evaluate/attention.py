"""Attention for decoding: one shared prompt prefix for all rows, and rows of unequal length.

Rows keep their keys and values in fixed slots, each row written from position 0 of its slot, so
that a finished row's slot is given to the next request and nothing is padded on the left. The
keys of a prefix that all rows share (few-shot examples) are held once and multiplied with the
queries of all rows in one product. A pass may take several tokens a row, the last of which are
guesses: what was written of a refused guess is written over by the next pass.
"""

import dataclasses
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin

NAME = "lemur_slots"


@dataclasses.dataclass
class Prefix:
    """A shared prefix: its token ids, and its keys and values, a tensor [1, length, key heads,
    head] a layer."""

    ids: tuple[int, ...]
    keys: list[torch.Tensor]
    values: list[torch.Tensor]

    @property
    def length(self) -> int:
        """Tokens."""
        return len(self.ids)


class _Layer(CacheLayerMixin):
    """Slots of one layer: keys and values [slots, capacity, key heads, head]."""

    is_sliding = False

    def __init__(self, slots: "Slots"):
        super().__init__()
        self.slots = slots

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        shape = (self.slots.rows, self.slots.capacity, *key_states.shape[-2:])
        self.keys = key_states.new_zeros(shape)
        self.values = value_states.new_zeros(shape)
        self.is_initialized = True

    def write(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Keep [rows * width, key heads, head] at the places of the pass."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        for kept, given in ((self.keys, key_states), (self.values, value_states)):
            kept.view(-1, *kept.shape[2:]).index_copy_(0, self.slots.places, given)

    def read(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values [rows, key heads, used, head] of the rows that decode."""
        rows, used = self.slots.bias.shape[0], self.slots.used
        return self.keys[:rows, :used].transpose(1, 2), self.values[:rows, :used].transpose(1, 2)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """As transformers asks: both [rows, key heads, width, head]."""
        flat = (one.transpose(1, 2).flatten(0, 1) for one in (key_states, value_states))
        self.write(*flat)
        return (key_states, value_states) if self.slots.prefilling else self.read()

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
        super().__init__(layers=[_Layer(self) for _ in range(layers)])
        self.rows, self.capacity, self.prefix = rows, capacity, prefix
        self.before = prefix.length if prefix is not None else 0
        self.lengths = torch.zeros(rows, dtype=torch.long, device=device)
        self.prefilling, self.used = True, 0

    def prefill(self, first: int, lengths: torch.Tensor, width: int) -> torch.Tensor:
        """New rows of ``lengths`` tokens, padded to ``width``, from slot ``first`` on; returns
        their positions [rows, width]."""
        active = torch.arange(first, first + len(lengths), device=lengths.device)
        self.lengths[active] = lengths
        at = torch.arange(width, device=lengths.device)
        self.places = (active[:, None] * self.capacity + at).flatten()
        self.prefilling = True
        return (self.before + at).expand(len(lengths), -1)

    def step(self, count: int, width: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
        """The first ``count`` rows continue by ``width`` tokens; returns their positions.

        ``bias`` [count, 1, heads * width, used] is added to the scores of queries that ``heads``
        query heads of one key head make: -inf for what a token does not see.
        """
        device = self.lengths.device
        positions = self.lengths[:count, None] + torch.arange(width, device=device)
        starts = torch.arange(count, device=device)[:, None] * self.capacity
        self.places = (starts + positions).flatten()
        self.used = int(positions[:, -1].max()) + 1
        unseen = torch.arange(self.used, device=device) > positions[:, None, :, None]
        bias = torch.zeros(unseen.shape, dtype=dtype, device=device)
        bias.masked_fill_(unseen, float("-inf"))
        self.bias = bias.expand(-1, heads, -1, -1).reshape(count, 1, heads * width, self.used)
        self.prefilling = False
        return self.before + positions

    def move(self, source: int, target: int) -> None:
        """Copy slot ``source`` over slot ``target`` (which has finished)."""
        length = int(self.lengths[source])
        for layer in self.layers:
            layer.keys[target, :length] = layer.keys[source, :length]
            layer.values[target, :length] = layer.values[source, :length]
        self.lengths[target] = length

    def taken(self, row: int, ids: tuple[int, ...]) -> Prefix:
        """The tokens of a slot as a prefix for others."""
        keys = [layer.keys[row : row + 1, : len(ids)].clone() for layer in self.layers]
        values = [layer.values[row : row + 1, : len(ids)].clone() for layer in self.layers]
        return Prefix(ids, keys, values)


# transformers calls attention functions without the cache; one forward pass runs at a time.
_current: list[Slots | None] = [None]


class using:  # noqa: N801 - reads as a statement
    """While this context is open, attention belongs to ``slots``."""

    def __init__(self, slots: Slots):
        self.slots = slots

    def __enter__(self) -> None:
        _current[0] = self.slots

    def __exit__(self, *_: object) -> None:
        _current[0] = None


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers. Without open slots: plain causal attention over rows
    that are padded on the right. Returns [rows, length, heads, head] and no weights.
    """
    slots = _current[0]
    prefix = slots.prefix if slots is not None else None
    width = query.shape[2]
    if slots is None or slots.prefilling:
        if prefix is None:
            out = functional.scaled_dot_product_attention(
                query, key, value, is_causal=width > 1, scale=scaling, enable_gqa=True
            )
            return out.transpose(1, 2).contiguous(), None
        return _after_prefix(query, key, value, prefix, module.layer_idx, scaling), None
    scale = scaling if scaling is not None else query.shape[3] ** -0.5
    return _decode(query, key, value, slots, module.layer_idx, scale), None


def _after_prefix(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    prefix: Prefix,
    layer: int,
    scaling: float | None,
) -> torch.Tensor:
    rows, width = query.shape[0], query.shape[2]
    seen = torch.ones(width, prefix.length + width, dtype=torch.bool, device=query.device)
    seen[:, prefix.length :].tril_()
    before = (prefix.keys[layer].transpose(1, 2), prefix.values[layer].transpose(1, 2))
    keys = torch.cat([before[0].expand(rows, -1, -1, -1), key], 2)
    values = torch.cat([before[1].expand(rows, -1, -1, -1), value], 2)
    out = functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=seen, scale=scaling, enable_gqa=True
    )
    return out.transpose(1, 2).contiguous()


def _decode(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    slots: Slots,
    layer: int,
    scale: float,
) -> torch.Tensor:
    rows, heads, width, size = query.shape
    key_heads = key.shape[1]
    many = heads // key_heads * width  # queries of one key head
    folded = query.reshape(rows, key_heads, many, size)
    if slots.prefix is None:
        mixed = functional.scaled_dot_product_attention(
            folded, key, value, attn_mask=slots.bias, scale=scale
        )
    else:
        mixed = _decode_after(folded * scale, key, value, slots, slots.prefix, layer)
    mixed = mixed.view(rows, key_heads, heads // key_heads, width, size).permute(0, 3, 1, 2, 4)
    return mixed.reshape(rows, width, heads, size)


def _decode_after(
    folded: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    slots: Slots,
    prefix: Prefix,
    layer: int,
) -> torch.Tensor:
    rows, key_heads, many, size = folded.shape
    scores = (folded @ key.transpose(2, 3) + slots.bias).float()
    # [key heads, rows * many, head] @ [key heads, head, length]: one product for all rows
    keys, values = (one[layer][0].transpose(0, 1) for one in (prefix.keys, prefix.values))
    together = folded.transpose(0, 1).reshape(key_heads, rows * many, size)
    before = (together @ keys.transpose(1, 2)).float()
    before = before.view(key_heads, rows, many, prefix.length).transpose(0, 1)
    weights = torch.cat([before, scores], -1).softmax(-1).to(value.dtype)
    first = weights[..., : prefix.length].transpose(0, 1)
    first = first.reshape(key_heads, rows * many, prefix.length) @ values
    first = first.view(key_heads, rows, many, size).transpose(0, 1)
    return first + weights[..., prefix.length :] @ value


AttentionInterface.register(NAME, attend)
