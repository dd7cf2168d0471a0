"""Attention for decoding: one shared prompt prefix for all rows, and rows of unequal length.

Rows keep their keys and values in fixed slots, each row written from position 0 of its slot, so
that a finished row's slot is given to the next request and nothing is padded on the left. The
keys of a prefix that all rows share (few-shot examples) are held once and multiplied with the
queries of all rows in one product. A pass may take several tokens a row, the last of which are
guesses: what was written of a refused guess is written over by the next pass.
"""

import dataclasses
import threading
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface
from transformers.cache_utils import Cache, CacheLayerMixin

NAME = "lemur_slots"


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


class _Layer(CacheLayerMixin):
    """Slots of one layer: keys and values [slots, key heads, capacity, head]."""

    is_sliding = False

    def __init__(self, slots: "Slots"):
        super().__init__()
        self.slots = slots

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        heads, size = key_states.shape[-2:]
        shape = (self.slots.rows, heads, self.slots.capacity, size)
        self.keys = key_states.new_zeros(shape)
        self.values = value_states.new_zeros(shape)
        self.heads = torch.arange(heads, device=key_states.device)
        self.is_initialized = True

    def write(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Keep [rows * width, key heads, head] at the places of the pass."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        row, at = self.slots.places
        for kept, given in ((self.keys, key_states), (self.values, value_states)):
            kept.index_put_((row, self.heads, at), given)

    def read(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values [rows, key heads, used, head] of the rows that decode."""
        rows, used = self.slots.bias.shape[0], self.slots.used
        return self.keys[:rows, :, :used], self.values[:rows, :, :used]

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
        self._write(active, at.expand(len(lengths), -1))
        self.prefilling = True
        return (self.before + at).expand(len(lengths), -1)

    def step(self, count: int, width: int, heads: int, dtype: torch.dtype) -> torch.Tensor:
        """The first ``count`` rows continue by ``width`` tokens; returns their positions.

        ``bias`` [count, 1, heads * width, used] is added to the scores of queries that ``heads``
        query heads of one key head make: -inf for what a token does not see.
        """
        device = self.lengths.device
        positions = self.lengths[:count, None] + torch.arange(width, device=device)
        self._write(torch.arange(count, device=device), positions)
        self.used = int(positions[:, -1].max()) + 1
        unseen = torch.arange(self.used, device=device) > positions[:, None, :, None]
        bias = torch.zeros(unseen.shape, dtype=dtype, device=device)
        bias.masked_fill_(unseen, float("-inf"))
        self.bias = bias.expand(-1, heads, -1, -1).reshape(count, 1, heads * width, self.used)
        self.prefilling = False
        return self.before + positions

    def _write(self, slots: torch.Tensor, positions: torch.Tensor) -> None:
        """The next pass writes ``positions`` [rows, width] of ``slots`` [rows]."""
        rows = slots[:, None].expand_as(positions)
        self.places = rows.reshape(-1, 1), positions.reshape(-1, 1)

    def move(self, source: int, target: int) -> None:
        """Copy slot ``source`` over slot ``target`` (which has finished)."""
        length = int(self.lengths[source])
        for layer in self.layers:
            layer.keys[target, :, :length] = layer.keys[source, :, :length]
            layer.values[target, :, :length] = layer.values[source, :, :length]
        self.lengths[target] = length

    def taken(self, row: int, ids: tuple[int, ...]) -> Prefix:
        """The tokens of a slot as a prefix for others."""
        keys = [layer.keys[row : row + 1, :, : len(ids)].clone() for layer in self.layers]
        values = [layer.values[row : row + 1, :, : len(ids)].clone() for layer in self.layers]
        return Prefix(ids, keys, values)


# transformers calls attention functions without the cache: in each thread one pass runs at a time.
class _Current(threading.local):
    slots: Slots | None = None


_current = _Current()


class using:  # noqa: N801 - reads as a statement
    """While this context is open, attention belongs to ``slots``."""

    def __init__(self, slots: Slots):
        self.slots = slots

    def __enter__(self) -> None:
        _current.slots = self.slots

    def __exit__(self, *_: object) -> None:
        _current.slots = None


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
    slots = _current.slots
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
    elif query.device.type == "cpu":
        mixed = _merged(folded, key, value, slots, slots.prefix, layer, scale)
    else:
        mixed = _decode_after(folded * scale, key, value, slots, slots.prefix, layer)
    mixed = mixed.view(rows, key_heads, heads // key_heads, width, size).permute(0, 3, 1, 2, 4)
    return mixed.reshape(rows, width, heads, size)


def _merged(
    folded: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    slots: Slots,
    prefix: Prefix,
    layer: int,
    scale: float,
) -> torch.Tensor:
    """Attention to the prefix, in one product for all rows, and to each row's own, by their shares.

    PyTorch's function for CPUs tells the logarithm of the sums that both were divided by.
    """
    rows, key_heads, many, size = folded.shape
    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    own, own_sum = flash(folded, key, value, attn_mask=slots.bias, scale=scale)
    together = folded.transpose(0, 1).reshape(1, key_heads, rows * many, size)
    first, first_sum = flash(together, prefix.keys[layer], prefix.values[layer], scale=scale)
    first = first.view(key_heads, rows, many, size).transpose(0, 1)
    first_sum = first_sum.view(key_heads, rows, many).transpose(0, 1)
    return torch.lerp(own, first, (first_sum - own_sum).sigmoid_().unsqueeze(-1).to(own.dtype))


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
    keys, values = prefix.keys[layer][0], prefix.values[layer][0]
    together = folded.transpose(0, 1).reshape(key_heads, rows * many, size)
    before = (together @ keys.transpose(1, 2)).float()
    before = before.view(key_heads, rows, many, prefix.length).transpose(0, 1)
    weights = torch.cat([before, scores], -1).softmax(-1).to(value.dtype)
    first = weights[..., : prefix.length].transpose(0, 1)
    first = first.reshape(key_heads, rows * many, prefix.length) @ values
    first = first.view(key_heads, rows, many, size).transpose(0, 1)
    return first + weights[..., prefix.length :] @ value


AttentionInterface.register(NAME, attend)
