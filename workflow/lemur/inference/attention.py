"""Attention for decoding: one shared prompt prefix for all rows, and rows of unequal length.

The keys of a prefix that all rows share (few-shot examples) are held once (``slots``) and multiplied
with the queries of all rows in one product.
"""

import threading
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface

from lemur.inference.kv_cache import Part, Prefix, Slots

NAME = "lemur_slots"
_FLASH = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default


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
        key, value = (heads.repeat_interleave(group, 1) for heads in (key, value))
        return over_prompt(query, key, value, scale).transpose(1, 2).contiguous(), None
    folded = query.view(rows, -1, group, width, size).transpose(2, 3).flatten(2, 3)
    out = decode(folded, slots, module.layer_idx, scale).reshape(rows, width, group, -1, size)
    return out.transpose(2, 3).reshape(rows, width, heads, size), None


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


def decode(folded: torch.Tensor, slots: Slots, layer: int, scale: float) -> torch.Tensor:
    """Attention of rows that continue, to what their slots hold. Queries [rows, key heads, width *
    group, head], those of one token side by side. Returns [rows, width * group, key heads, head]."""
    if slots.prefix is None:
        outs = [
            functional.scaled_dot_product_attention(
                _of(folded, part),
                part.keys[layer],
                part.values[layer],
                attn_mask=part.bias,
                scale=scale,
            ).transpose(1, 2)
            for part in slots.parts
        ]
        return outs[0] if len(outs) == 1 else torch.cat(outs)
    after = _merged if folded.device.type == "cpu" else _decode_after
    return after(folded, slots, slots.prefix, layer, scale).transpose(1, 2)


def _of(folded: torch.Tensor, part: Part) -> torch.Tensor:
    whole = part.end - part.first == len(folded)
    return folded if whole else folded[part.first : part.end]


def _merged(
    folded: torch.Tensor, slots: Slots, prefix: Prefix, layer: int, scale: float
) -> torch.Tensor:
    """Attention to the prefix, in one product for all rows, and to each row's own, by their shares.

    PyTorch's function for CPUs tells the logarithm of the sums that both were divided by.
    """
    rows, key_heads, many, size = folded.shape
    parts = [
        _FLASH(
            _of(folded, part),
            part.keys[layer],
            part.values[layer],
            attn_mask=part.bias,
            scale=scale,
        )
        for part in slots.parts
    ]
    own, own_sum = (torch.cat(every) for every in zip(*parts, strict=True))
    together = folded.transpose(0, 1).reshape(1, key_heads, rows * many, size)
    first, first_sum = _FLASH(together, prefix.keys[layer], prefix.values[layer], scale=scale)
    first = first.view(key_heads, rows, many, size).transpose(0, 1)
    first_sum = first_sum.view(key_heads, rows, many).transpose(0, 1)
    return torch.lerp(own, first, (first_sum - own_sum).sigmoid_().unsqueeze(-1).to(own.dtype))


def _decode_after(
    folded: torch.Tensor, slots: Slots, prefix: Prefix, layer: int, scale: float
) -> torch.Tensor:
    rows, key_heads, many, size = folded.shape
    (part,) = slots.parts
    folded = folded * scale
    key, value = part.keys[layer], part.values[layer]
    scores = (folded @ key.transpose(2, 3) + part.bias).float()
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
