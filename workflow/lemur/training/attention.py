"""Attention that never crosses a document, put into any transformers model that lets it in.

Four ways to compute the same thing: ``blocked`` (CPU), ``sdpa`` (anywhere, with a mask),
``flash`` (flash-attn's variable-length kernel) and ``varlen`` (PyTorch's own, on CUDA).
"""

import importlib.util
import inspect
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedModel

from lemur.core.errors import UserError
from lemur.training.blocked_attention import Block, blocked_attention, blocks

NAME = "lemur_packed"


@dataclass
class Packing:
    """What the layers of one forward pass need to know of a batch; ``used`` counts their calls."""

    kind: str
    blocks: list[Block] = field(default_factory=list)
    mask: torch.Tensor | None = None
    bounds: torch.Tensor | None = None
    longest: int = 0
    used: int = 0


def choose(wanted: str, device: torch.device, precision: str) -> str:
    """The kind for a recipe's ``attention`` (auto, sdpa or flash) on a device.

    flash-attn takes half precision on CUDA only; float32 on CUDA goes through SDPA.
    """
    has_flash = importlib.util.find_spec("flash_attn") is not None
    half = precision == "bf16"
    if wanted == "flash" and not (device.type == "cuda" and half and has_flash):
        raise UserError(
            "attention: flash needs the package flash-attn, precision bf16 and device cuda; "
            "auto takes what there is"
        )
    if wanted == "sdpa":
        return "sdpa"
    if device.type == "cpu":
        return "blocked"
    if not half:
        return "sdpa"
    return "flash" if has_flash else "varlen"


def packing(kind: str, segment_ids: torch.Tensor) -> Packing:
    """Prepare a batch: ``segment_ids`` int64 [rows, length] on the CPU, runs of equal numbers.

    Padding (-1) is a document of its own, so that no softmax is over nothing.
    """
    if kind == "blocked":
        return Packing(kind, blocks=blocks(segment_ids))
    rows, length = segment_ids.shape
    if kind == "sdpa":
        same = segment_ids[:, :, None] == segment_ids[:, None, :]
        earlier = torch.ones(length, length, dtype=torch.bool).tril()
        return Packing(kind, mask=(same & earlier)[:, None])
    fresh = torch.ones(rows, length, dtype=torch.bool)
    fresh[:, 1:] = segment_ids[:, 1:] != segment_ids[:, :-1]
    starts = fresh.flatten().nonzero().squeeze(1)
    bounds = torch.cat([starts, torch.tensor([rows * length])]).to(torch.int32)
    return Packing(kind, bounds=bounds, longest=int(bounds.diff().max()))


def to(plan: Packing, device: torch.device) -> Packing:
    """Move the tensors of a packing that kernels read on the device."""
    if plan.mask is not None:
        plan.mask = plan.mask.to(device, non_blocking=True)
    if plan.bounds is not None:
        plan.bounds = plan.bounds.to(device, non_blocking=True)
    return plan


def _variable_length(q, k, v, plan: Packing, scale: float) -> torch.Tensor:
    rows, heads, length, width = q.shape
    flat = [t.transpose(1, 2).reshape(rows * length, t.shape[1], width) for t in (q, k, v)]
    bounds, longest = plan.bounds, plan.longest
    if plan.kind == "flash":
        from flash_attn import flash_attn_varlen_func

        out = flash_attn_varlen_func(
            *flat,
            bounds,
            bounds,
            longest,
            longest,
            softmax_scale=scale,
            causal=True,
            deterministic=torch.are_deterministic_algorithms_enabled(),
        )
    else:
        out = _torch_varlen(*flat, bounds, longest, scale)
    return out.view(rows, length, heads, width)


def _torch_varlen(q, k, v, bounds: torch.Tensor, longest: int, scale: float) -> torch.Tensor:
    """PyTorch's own kernel, [tokens, heads, width], whose arguments have changed from release to release.

    2.10 is told of causal attention by a flag of its own and scales by the head's width; grouped heads
    are refused without ``enable_gqa`` where there is such an argument, and taken where there is none.
    """
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    named: dict[str, tuple[int, int] | float | bool] = {}
    if "window_size" in known:
        named["window_size"] = (-1, 0)
    else:
        named["is_causal"] = True
    if "scale" in known:
        named["scale"] = scale
    elif scale != q.shape[-1] ** -0.5:
        q = q * (scale * q.shape[-1] ** 0.5)
    if "enable_gqa" in known:
        named["enable_gqa"] = q.shape[1] != k.shape[1]
    return varlen_attn(q, k, v, bounds, bounds, longest, longest, **named)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    packing: Packing | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """An attention function of transformers: [rows, heads, length, width] in, heads second last out."""
    assert packing is not None, "the model was called without lemur.training.model"
    if sliding_window is not None or softcap is not None or dropout:
        raise UserError("base: sliding windows, soft caps and attention dropout are not supported")
    packing.used += 1
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if packing.kind in ("flash", "varlen"):
        return _variable_length(query, key, value, packing, scale), None
    if packing.kind == "blocked":
        out = blocked_attention(query, key, value, packing.blocks, scale)
    else:
        grouped = query.shape[1] != key.shape[1]
        if grouped and query.device.type != "cpu":
            # No fused kernel of CUDA takes a mask and grouped heads: it would hold all scores.
            fold = query.shape[1] // key.shape[1]
            key, value = (t.repeat_interleave(fold, 1) for t in (key, value))
            grouped = False
        out = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=packing.mask, scale=scale, enable_gqa=grouped
        )
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, attend)


def outside_graphs() -> None:
    """From now on torch.compile calls attention as it is."""
    AttentionInterface.register(NAME, torch.compiler.disable(attend))


def install(model: PreTrainedModel) -> None:
    """Make a model attend inside documents only; UserError where its code does not allow it."""
    model.set_attn_implementation(NAME)
    if model.config._attn_implementation != NAME:
        raise UserError(
            f"base: models of type '{model.config.model_type}' do not let their attention be "
            "replaced, so documents in one sequence would see each other"
        )
