"""Attention for decoding: one shared prompt prefix for all rows, and rows of unequal length.

Rows keep their keys and values in fixed slots, each row written from position 0 of its slot, so
that a finished row's slot is given to the next request and nothing is padded on the left. The
keys of a prefix that all rows share (few-shot examples) are held once and multiplied with the
queries of all rows in one product.
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
    """Keys and values of a shared prefix: a tensor [1, key heads, length, head] a layer."""

    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    length: int


class _Layer(CacheLayerMixin):
    """Slots of one layer: keys and values [slots, key heads, capacity, head]."""

    is_sliding = False

    def __init__(self, slots: "Slots"):
        super().__init__()
        self.slots = slots

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        shape = (self.slots.rows, key_states.shape[1], self.slots.capacity)
        self.keys = key_states.new_zeros(*shape, key_states.shape[3])
        self.values = value_states.new_zeros(*shape, value_states.shape[3])
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        keys, values = self.keys, self.values
        assert keys is not None and values is not None
        width = key_states.shape[2]
        rows = self.slots.active
        if width > 1 or self.slots.prefilling:  # new rows, from the beginning of their slots
            keys[rows, :, :width] = key_states
            values[rows, :, :width] = value_states
            return key_states, value_states
        at = self.slots.lengths[: len(rows)]
        keys[rows, :, at] = key_states[:, :, 0]
        values[rows, :, at] = value_states[:, :, 0]
        used = self.slots.used
        return keys[: len(rows), :, :used], values[: len(rows), :, :used]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0

    def get_seq_length(self) -> int:
        return 0

    def get_max_length(self) -> int:
        return self.slots.capacity


class Slots(Cache):
    """The cache of a batch: ``rows`` slots of ``capacity`` tokens, after an optional prefix.

    ``active`` are the slots that the next forward pass writes, ``lengths`` how many tokens of
    each slot are in use; while decoding, the active slots are 0 .. n-1.
    """

    def __init__(
        self, layers: int, rows: int, capacity: int, device: torch.device, prefix: Prefix | None
    ):
        super().__init__(layers=[_Layer(self) for _ in range(layers)])
        self.rows, self.capacity, self.prefix = rows, capacity, prefix
        self.lengths = torch.zeros(rows, dtype=torch.long, device=device)
        self.active = torch.arange(rows, device=device)
        self.used = 0
        self.prefilling = True

    def move(self, source: int, target: int) -> None:
        """Copy slot ``source`` over slot ``target`` (which has finished)."""
        length = int(self.lengths[source])
        for layer in self.layers:
            layer.keys[target, :, :length] = layer.keys[source, :, :length]
            layer.values[target, :, :length] = layer.values[source, :, :length]
        self.lengths[target] = length

    def taken(self, row: int, length: int) -> Prefix:
        """The first ``length`` tokens of a slot as a prefix for others."""
        keys = [layer.keys[row : row + 1, :, :length].clone() for layer in self.layers]
        values = [layer.values[row : row + 1, :, :length].clone() for layer in self.layers]
        return Prefix(keys, values, length)


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
    return _decode(query, key, value, slots, prefix, module.layer_idx, scale), None


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
    keys = torch.cat([prefix.keys[layer].expand(rows, -1, -1, -1), key], 2)
    values = torch.cat([prefix.values[layer].expand(rows, -1, -1, -1), value], 2)
    out = functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=seen, scale=scaling, enable_gqa=True
    )
    return out.transpose(1, 2).contiguous()


def _decode(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    slots: Slots,
    prefix: Prefix | None,
    layer: int,
    scale: float,
) -> torch.Tensor:
    rows, heads, _, size = query.shape
    key_heads, used = key.shape[1], key.shape[2]
    group = heads // key_heads
    folded = (query * scale).view(rows, key_heads, group, size)
    scores = (folded @ key.transpose(2, 3)).float()
    empty = torch.arange(used, device=query.device) > slots.lengths[:rows, None]
    scores.masked_fill_(empty[:, None, None], float("-inf"))
    if prefix is None:
        mixed = scores.softmax(-1).to(value.dtype) @ value
        return mixed.reshape(rows, 1, heads, size)
    # [key heads, rows * group, head] @ [key heads, head, length]: one product for all rows
    together = folded.transpose(0, 1).reshape(key_heads, rows * group, size)
    before = (together @ prefix.keys[layer][0].transpose(1, 2)).float()
    before = before.view(key_heads, rows, group, prefix.length).transpose(0, 1)
    weights = torch.cat([before, scores], -1).softmax(-1).to(value.dtype)
    first = weights[..., : prefix.length].transpose(0, 1)
    first = first.reshape(key_heads, rows * group, prefix.length) @ prefix.values[layer][0]
    first = first.view(key_heads, rows, group, size).transpose(0, 1)
    mixed = first + weights[..., prefix.length :] @ value
    return mixed.reshape(rows, 1, heads, size)


AttentionInterface.register(NAME, attend)
