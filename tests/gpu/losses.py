"""Part losses: the cross-entropy of the project, chunked and by Liger's kernel, against a CPU."""

import importlib.util
import os

import torch
from lemur.training import loss
from torch.nn import functional

from gpu.attention import error, milliseconds
from gpu.report import absent, at_most, fact, holds

# (tokens, width, vocabulary): Llama-3.2-1B's and SmolLM2-135M's.
SHAPES = {"1b": (2_048, 2_048, 128_256), "135m": (4_096, 576, 49_152)}
TINY = {"tiny": (60, 32, 500)}
BOUND = {torch.bfloat16: 2e-2, torch.float32: 1e-4}
UNASKED = 7  # every so many labels ask for nothing


def operands(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Hidden states and weights whose numbers bfloat16 holds exactly (float32, CPU), and labels."""
    tokens, width, vocabulary = shape
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(tokens, width, generator=generator).bfloat16().float()
    weight = (torch.randn(vocabulary, width, generator=generator) * width**-0.5).bfloat16().float()
    labels = torch.randint(0, vocabulary, (tokens,), generator=generator)
    labels[::UNASKED] = -100
    return hidden, weight, labels


def reference(
    hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, z_loss: float
) -> list[torch.Tensor]:
    """Summed loss and gradients by autograd over whole logits, in float64 where the size allows."""
    wide = torch.float64 if hidden.numel() < 1 << 20 else torch.float32
    inputs = [t.to(wide).requires_grad_() for t in (hidden, weight)]
    logits = inputs[0] @ inputs[1].t()
    value = functional.cross_entropy(logits, labels, reduction="sum", ignore_index=-100)
    mass = logits[labels != -100].logsumexp(-1)
    gradients = torch.autograd.grad(value + z_loss * (mass * mass).sum(), inputs)
    return [value.detach().double(), *(gradient.double() for gradient in gradients)]


def computed(kernel: str, given: list[torch.Tensor], labels, z_loss: float) -> list[torch.Tensor]:
    """The project's own, with its gradients."""
    inputs = [t.detach().requires_grad_() for t in given]
    value = loss.cross_entropy_sum(*inputs, labels, z_loss, kernel)
    return [value.detach(), *torch.autograd.grad(value, inputs)]


def run(session) -> None:
    """Chunked always; Liger where it is there, on a CPU by Triton's interpreter where that is asked."""
    device = torch.device(session.device)
    interpreted = os.environ.get("TRITON_INTERPRET") == "1"
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    for name, shape in (TINY if session.tiny else SHAPES).items():
        for z_loss in (0.0, 1e-3):
            exact = operands(shape)
            wanted = reference(*exact, z_loss)
            for kernel in ("chunked", "liger"):
                what = f"{kernel}, vocabulary of {name}, z-loss {z_loss:g}"
                if kernel == "liger" and (why := _missing(device, interpreted)):
                    session.part.add(absent(what, why))
                    continue
                given = [t.to(device, dtype) for t in exact[:2]]
                labels = exact[2].to(device)
                try:
                    found = computed(kernel, given, labels, z_loss)
                except Exception as failure:
                    if _interpreter_lacks(failure):
                        why = "Triton's interpreter of this release does not take this numpy"
                        session.part.add(absent(what, why))
                        continue
                    said = f"{type(failure).__name__}: {failure}"[:300]
                    session.part.add(holds(what, False, said, "runs"))
                    continue
                worst = max(error(one, other) for one, other in zip(found, wanted, strict=True))
                session.part.add(
                    at_most(f"{what}: error of loss and gradients", worst, BOUND[dtype])
                )
                if not z_loss and not session.tiny:
                    call = lambda: computed(kernel, given, labels, 0.0)  # noqa: B023, E731
                    spent = milliseconds(call, device, 3)
                    session.part.add(fact(f"{what}: forward and backward", f"{spent:.2f} ms"))


def _missing(device: torch.device, interpreted: bool) -> str:
    if importlib.util.find_spec("liger_kernel") is None:
        return "liger-kernel is not installed"
    if device.type == "cpu" and not interpreted:
        return "Liger's kernels need CUDA, or TRITON_INTERPRET=1"
    return ""


def _interpreter_lacks(failure: Exception) -> bool:
    """Triton 3.6 takes arrays of one element for numbers, which numpy refuses since 2.4."""
    return "only 0-dimensional arrays can be converted" in str(failure)
