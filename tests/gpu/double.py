"""What stands for a GPU's kernels where there is none: the same meaning, and stricter about arguments.

Each function refuses what the kernel would refuse, or would read wrongly without a word: another
dtype, device, shape or stride, and bounds that do not cover the tokens. Its signature is that of the
installed function where that can be imported, so that an argument which this version does not take
is refused as well. The values are computed a document at a time by PyTorch's own function.
"""

import contextlib
import inspect
import os
import sys
import types
from collections.abc import Iterator
from unittest import mock

import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

HALF = (torch.float16, torch.bfloat16)
# What PyTorch asks of CUBLAS_WORKSPACE_CONFIG where products have to be deterministic, and the products.
WORKSPACES = (":4096:8", ":16:8")
PRODUCTS = ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::mv", "aten::dot")


def check_variable_length(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    bounds: tuple[torch.Tensor, torch.Tensor],
    longest: tuple[int, int],
) -> None:
    """Raise ValueError for what FlashAttention's variable-length kernels do not take.

    ``q`` [tokens, heads, width], ``k`` and ``v`` [tokens, key heads, width]; ``bounds`` int32
    [documents + 1] from 0 to the tokens, on the same device.
    """
    for name, t in (("query", q), ("key", k), ("value", v)):
        if t.dim() != 3:
            raise ValueError(f"{name}: {t.dim()} dimensions, 3 are wanted")
        if t.dtype not in HALF:
            raise ValueError(f"{name}: {t.dtype}, half precision alone is computed")
        if t.dtype != q.dtype or t.device != q.device:
            raise ValueError(f"{name}: {t.dtype} on {t.device}, query {q.dtype} on {q.device}")
        if t.stride(-1) != 1:
            raise ValueError(f"{name}: the last dimension is not contiguous")
        if t.shape[2] != q.shape[2] or t.shape[0] != q.shape[0]:
            raise ValueError(f"{name}: {tuple(t.shape)} beside query {tuple(q.shape)}")
    width = q.shape[2]
    if width % 8 or width > 256:
        raise ValueError(f"a head of {width} numbers: multiples of 8 up to 256 are computed")
    if k.shape != v.shape or q.shape[1] % k.shape[1]:
        raise ValueError(f"{q.shape[1]} heads do not share {k.shape[1]} key heads")
    for bound, most in zip(bounds, longest, strict=True):
        _check_bounds(bound, most, q)


def _check_bounds(bound: torch.Tensor, most: int, q: torch.Tensor) -> None:
    if bound.dtype != torch.int32 or bound.dim() != 1 or not bound.is_contiguous():
        raise ValueError(f"bounds: {bound.dtype} {tuple(bound.shape)}, not a row of int32")
    if bound.device != q.device:
        raise ValueError(f"bounds on {bound.device}, query on {q.device}")
    if not isinstance(most, int):
        raise ValueError(f"longest document: {most!r} is no int")
    if bound.device.type == "meta":  # a device without values
        return
    sizes = bound.diff()
    if int(bound[0]) != 0 or int(bound[-1]) != len(q):
        raise ValueError(f"bounds from {int(bound[0])} to {int(bound[-1])} over {len(q)} tokens")
    if bool((sizes < 0).any()) or int(sizes.max()) > most:
        raise ValueError(f"bounds fall, or a document is longer than {most}")


def _by_document(q, k, v, bound, scale) -> torch.Tensor:
    """Causal attention of each document alone, [tokens, heads, width]."""
    if q.device.type == "meta":
        return q + k.sum() + v.sum()
    made = []
    for first, last in zip(bound[:-1].tolist(), bound[1:].tolist(), strict=True):
        one = [t[first:last].transpose(0, 1)[None] for t in (q, k, v)]
        out = functional.scaled_dot_product_attention(
            *one, is_causal=True, scale=scale, enable_gqa=q.shape[1] != k.shape[1]
        )
        made.append(out[0].transpose(0, 1))
    return torch.cat(made)


def varlen(real) -> object:
    """A double of ``torch.nn.attention.varlen.varlen_attn``, ``real``."""
    signature = inspect.signature(real)

    def varlen_attn(*given, **named):
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        a = bound.arguments
        q, k, v = a["query"], a["key"], a["value"]
        bounds = a["cu_seq_q"], a["cu_seq_k"]
        check_variable_length(q, k, v, bounds, (a["max_q"], a["max_k"]))
        if "enable_gqa" in a and not a["enable_gqa"] and q.shape[1] != k.shape[1]:
            raise ValueError("query and key have other numbers of heads, without enable_gqa")
        if not (tuple(a.get("window_size", ())) == (-1, 0) or a.get("is_causal")):
            raise ValueError("attention is not causal")
        return _by_document(q, k, v, bounds[0], a.get("scale"))

    varlen_attn.__signature__ = signature
    return varlen_attn


def flash_attn_varlen_func(
    q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, dropout_p=0.0,
    softmax_scale=None, causal=False, window_size=(-1, -1), softcap=0.0, alibi_slopes=None,
    deterministic=False, return_attn_probs=False, block_table=None,
):  # fmt: skip
    """A double of flash-attn's function, with the signature of its version 2.8.3."""
    bounds, longest = (cu_seqlens_q, cu_seqlens_k), (max_seqlen_q, max_seqlen_k)
    check_variable_length(q, k, v, bounds, longest)
    if not causal or dropout_p or window_size != (-1, -1):
        raise ValueError("attention is not plainly causal")
    if deterministic != torch.are_deterministic_algorithms_enabled():
        raise ValueError("deterministic is not what torch is set to")
    return _by_document(q, k, v, cu_seqlens_q, softmax_scale)


@contextlib.contextmanager
def kernels() -> Iterator[None]:
    """While this is open, flash-attn's and torch's variable-length kernels are these doubles."""
    from torch.nn.attention import varlen as module

    flash = types.ModuleType("flash_attn")
    flash.flash_attn_varlen_func = flash_attn_varlen_func
    with (
        mock.patch.object(module, "varlen_attn", varlen(module.varlen_attn)),
        mock.patch.dict(sys.modules, {"flash_attn": flash}),
    ):
        yield


@contextlib.contextmanager
def without_numbers(truth: bool) -> Iterator[None]:
    """While this is open the device ``meta`` stands for a GPU, and no two devices may meet.

    It has no numbers, so that what the host asks for is made up: every number is one, every test
    ``truth``.
    """
    made_up = {"item": 1.0, "__bool__": truth, "__int__": 1, "__float__": 1.0}
    with contextlib.ExitStack() as stack:
        for name, value in made_up.items():
            real = getattr(torch.Tensor, name)
            stands = _made_up(real, lambda t, v=value: v)
            stack.enter_context(mock.patch.object(torch.Tensor, name, stands))
        ones = _made_up(
            torch.Tensor.tolist, lambda t: torch.ones(t.shape, dtype=torch.long).tolist()
        )
        stack.enter_context(mock.patch.object(torch.Tensor, "tolist", ones))
        stack.enter_context(mock.patch.object(torch.Tensor, "pin_memory", torch.Tensor.clone))
        stack.enter_context(OneDevice())
        yield


def _made_up(real, value):
    return lambda t: value(t) if t.device.type == "meta" else real(t)


def check_fused(optimizer: torch.optim.Optimizer) -> None:
    """Raise ValueError for what the fused kernel of AdamW does not take: gradients and moments of
    another dtype or device than their parameter's, and a step that the host counts."""
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is None:
                continue
            kept = {k: t for k, t in optimizer.state.get(p, {}).items() if k != "step"}
            for name, t in {"grad": p.grad, **kept}.items():
                if (t.dtype, t.device, t.shape) != (p.dtype, p.device, p.shape):
                    raise ValueError(
                        f"{name}: {t.dtype} {tuple(t.shape)} on {t.device}, parameter {p.dtype} "
                        f"{tuple(p.shape)} on {p.device}"
                    )
            step = optimizer.state.get(p, {}).get("step")
            if step is not None and (step.device, step.dtype) != (p.device, torch.float32):
                raise ValueError(f"step: {step.dtype} on {step.device}")


class OneDevice(TorchDispatchMode):
    """While this is open, no operation but a copy takes tensors of two devices; numbers may differ.
    A product of matrices is refused where it has to be deterministic and cuBLAS, which reads
    CUBLAS_WORKSPACE_CONFIG at the first product of a process, was not told so in time.

    Operations of the device ``meta``, which stands for a GPU, do not ask by themselves.
    """

    COPIES = ("aten::copy_", "aten::_to_copy")

    def __init__(self):
        super().__init__()
        self.workspace: str | None = None

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = torch.utils._pytree.tree_leaves((args, kwargs))
        met = {t.device.type for t in given if isinstance(t, torch.Tensor) and t.dim()}
        name = func._schema.name
        if len(met) > 1 and name not in self.COPIES:
            raise RuntimeError(f"{func}: tensors of {' and '.join(sorted(met))}")
        if name in PRODUCTS and "meta" in met:
            if self.workspace is None:
                self.workspace = os.environ.get("CUBLAS_WORKSPACE_CONFIG", "")
            if torch.are_deterministic_algorithms_enabled() and self.workspace not in WORKSPACES:
                raise RuntimeError(
                    f"{func}: CUBLAS_WORKSPACE_CONFIG was not set at the first product"
                )
        return func(*args, **kwargs)
