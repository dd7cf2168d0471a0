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

    def before(
        self, layer: int, key: torch.Tensor, value: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values [rows, key heads, width, head] with the prefix's before them."""
        rows = len(key)
        kept = ((self.keys[layer], key), (self.values[layer], value))
        both = (torch.cat([one.expand(rows, -1, -1, -1), other], 2) for one, other in kept)
        return next(both), next(both)


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
        if self.slots.prefilling:
            return key_states, value_states
        return self.slots.read(self.number)

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
        self.prefilling, self.used = True, 0

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

    def read(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values [rows, key heads, used, head] of the rows that decode."""
        return self.seen[0][layer], self.seen[1][layer]

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

        ``bias`` [count, 1, width * heads, used] is added to the scores of queries that ``heads``
        query heads of one key head make: -inf for what a token does not see.
        """
        device = self.lengths.device
        positions = self.lengths[:count, None] + torch.arange(width, device=device)
        self._write(torch.arange(count, device=device), positions)
        self.used = int(positions[:, -1].max()) + 1
        unseen = torch.arange(self.used, device=device) > positions[:, :, None, None]
        bias = torch.zeros(unseen.shape, dtype=dtype, device=device)
        bias.masked_fill_(unseen, float("-inf"))
        self.bias = bias.expand(-1, -1, heads, -1).reshape(count, 1, width * heads, self.used)
        if self.kept is not None:  # a view of all layers is made in one call
            seen = self.kept[:, :count, :, : self.used]
            self.seen = [half.unbind(0) for half in seen.chunk(2, 2)]
        self.prefilling = False
        return self.before + positions

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
    scale = scaling if scaling is not None else query.shape[3] ** -0.5
    rows, heads, width, size = query.shape
    group = heads // key.shape[1]
    if slots is None or slots.prefilling:
        if slots is not None and slots.prefix is not None:
            key, value = slots.prefix.before(module.layer_idx, key, value)
        key, value = (one.repeat_interleave(group, 1) for one in (key, value))
        return over_prompt(query, key, value, scale).transpose(1, 2).contiguous(), None
    folded = query.view(rows, -1, group, width, size).transpose(2, 3).flatten(2, 3)
    out = decode(folded, key, value, slots, module.layer_idx, scale)
    out = out.view(rows, -1, width, group, size).permute(0, 2, 1, 3, 4)
    return out.reshape(rows, width, heads, size), None


def over_prompt(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
) -> torch.Tensor:
    """Attention of a prompt's tokens to those up to them. Queries [rows, heads, width, head]; keys
    and values [rows, heads, length, head], the last ``width`` of them the queries' own."""
    width, before = query.shape[2], key.shape[2] - query.shape[2]
    if not before:
        return functional.scaled_dot_product_attention(
            query, key, value, is_causal=width > 1, scale=scale
        )
    seen = torch.ones(width, before + width, dtype=torch.bool, device=query.device)
    seen[:, before:].tril_()
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=seen, scale=scale)


def decode(
    folded: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    slots: Slots,
    layer: int,
    scale: float,
) -> torch.Tensor:
    """Attention of rows that continue. Queries [rows, key heads, width * group, head], those of one
    token side by side; keys and values as the slots keep them. Returns the queries' shape."""
    if slots.prefix is None:
        return functional.scaled_dot_product_attention(
            folded, key, value, attn_mask=slots.bias, scale=scale
        )
    if folded.device.type == "cpu":
        return _merged(folded, key, value, slots, slots.prefix, layer, scale)
    return _decode_after(folded * scale, key, value, slots, slots.prefix, layer)


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
