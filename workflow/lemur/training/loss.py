"""Cross-entropy over a large vocabulary, in row chunks and only where a label asks for it.

The logits of 2,048 tokens over 49,152 entries are 400 MB in float32 and their softmax as much
again. Here no more than one chunk exists at a time, and its gradient is formed in place while it
is there (the idea of Liger's fused linear cross-entropy, arXiv 2410.10989, in plain PyTorch).
"""

import importlib.util

import torch

from lemur.core.errors import UserError

CHUNK = 1 << 26  # logits held at a time: 128 MB in bfloat16
BLOCK = 1 << 19  # logits whose float32 softmax stays in a core's cache


def _softmax_gradient(logits: torch.Tensor, labels: torch.Tensor, z_loss: float) -> torch.Tensor:
    """Replace logits [rows, vocabulary] by d(sum of losses)/d(logits); return the sum, float64.

    The sum is of the cross-entropies alone; the gradient is that of the z-loss too.
    """
    rows = logits.shape[0]
    block = max(1, BLOCK // logits.shape[1]) if logits.device.type == "cpu" else rows
    total = torch.zeros((), dtype=torch.float64, device=logits.device)
    for start in range(0, rows, block):
        part, wanted = logits[start : start + block], labels[start : start + block, None]
        values = part.float()
        largest = values.amax(-1, keepdim=True)
        values -= largest
        picked = values.gather(1, wanted)
        values.exp_()
        mass = values.sum(-1, keepdim=True)
        total += (mass.log() - picked).sum(dtype=torch.float64)
        values /= mass
        if z_loss:  # d(z L^2)/d(logits) = 2 z L softmax, L the log of the sum of exponentials
            values *= 1 + 2 * z_loss * (mass.log() + largest)
        values.scatter_add_(1, wanted, torch.full_like(picked, -1.0))
        part.copy_(values)
    return total


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, labels, z_loss):
        rows, vocabulary = hidden.shape[0], weight.shape[0]
        chunk = max(1, min(rows, CHUNK // vocabulary))
        d_hidden = torch.empty_like(hidden)
        total = torch.zeros((), dtype=torch.float64, device=hidden.device)
        # One chunk needs no sum; several are summed in float32.
        d_weight = None if chunk >= rows else torch.zeros_like(weight, dtype=torch.float32)
        for start in range(0, rows, chunk):
            part = hidden[start : start + chunk]
            logits = part @ weight.t()
            total += _softmax_gradient(logits, labels[start : start + chunk], z_loss)
            torch.mm(logits, weight, out=d_hidden[start : start + chunk])
            mine = logits.t() @ part
            d_weight = mine if d_weight is None else d_weight.add_(mine)
        if d_weight is None:  # no label at all
            d_weight = torch.zeros_like(weight)
        ctx.save_for_backward(d_hidden, d_weight.to(weight.dtype))
        return total

    @staticmethod
    def backward(ctx, gradient):
        d_hidden, d_weight = ctx.saved_tensors
        scale = gradient.float()
        return (
            (d_hidden * scale).to(d_hidden.dtype),
            (d_weight * scale).to(d_weight.dtype),
            None,
            None,
        )


def cross_entropy_sum(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    labels: torch.Tensor,
    z_loss: float = 0.0,
    kernel: str = "chunked",
) -> torch.Tensor:
    """Sum over labels != -100 of the cross-entropy of ``hidden @ weight.T``, in nats, float64.

    ``hidden`` [..., width], ``weight`` [vocabulary, width] of the same dtype, ``labels`` [...]
    int64, already shifted. Differentiable once in ``hidden`` and ``weight``. ``z_loss`` adds
    ``z_loss * log(Z)^2`` a label (PaLM, arXiv 2204.02311, section 5) to the gradient; the value
    stays the cross-entropy, so that runs with and without it compare. ``kernel``: see ``choose``.
    """
    labels = labels.reshape(-1)
    hidden = hidden.reshape(-1, hidden.shape[-1])
    asked = labels != -100
    if not bool(asked.all()):
        where = asked.nonzero().squeeze(1)
        hidden, labels = hidden.index_select(0, where), labels.index_select(0, where)
    if kernel == "liger" and len(labels):
        return _liger(hidden, weight, labels, z_loss)
    return _LinearCrossEntropy.apply(hidden, weight, labels, z_loss)


def choose(wanted: str, device: torch.device) -> str:
    """``chunked`` or ``liger`` for a recipe's ``cross_entropy`` (auto, chunked or liger).

    Liger's Triton kernels run on CUDA only; elsewhere the chunked sum is the same function.
    """
    if wanted == "chunked" or device.type != "cuda":
        return "chunked"
    if importlib.util.find_spec("liger_kernel") is not None:
        return "liger"
    if wanted == "liger":
        raise UserError("cross_entropy: liger needs the package liger-kernel; auto does without it")
    return "chunked"


def _liger(hidden, weight, labels, z_loss: float) -> torch.Tensor:
    from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

    made = liger_fused_linear_cross_entropy(
        hidden,
        weight,
        labels,
        reduction="sum",
        lse_square_scale=z_loss,
        return_z_loss=True,
        accum_dtype=torch.float32,
    )
    return (made.loss - made.z_loss.detach()).double()
