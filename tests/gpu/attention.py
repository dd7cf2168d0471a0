"""Part attention: every way to attend inside documents, forward and backward, against a CPU.

The reference is the project's masked attention in float64 on the CPU. Flex attention is no way of
the project's: it stands here beside the others as what they could be replaced with.
"""

import contextlib
import importlib.util
import time

import torch
from lemur.training import attention

from gpu import double
from gpu.report import absent, at_most, fact, holds

# (rows, heads, key heads, length, width): Llama-3.2-1B's and SmolLM2-135M's heads.
SHAPES = {"1b": (2, 32, 8, 2_048, 64), "135m": (1, 9, 3, 4_096, 64)}
TINY = {"tiny": (2, 4, 2, 96, 16)}
# Relative error in the Frobenius norm: operands of bfloat16 have 8 bits.
BOUND = {torch.bfloat16: 1e-2, torch.float32: 1e-4}
FLEX = 20  # seconds that compiling flex attention may take


def segments(rows: int, length: int) -> torch.Tensor:
    """Documents of one token, of a few, and of most of a row; padding at the last row's end."""
    made = torch.empty(rows, length, dtype=torch.int64)
    for row in range(rows):
        cuts = [0, 1, 2, length // 8 + row, length // 4, length - length // 16]
        for number, first in enumerate(cuts):
            made[row, first:] = number
    made[-1, length - length // 16 :] = -1
    return made


def operands(shape: tuple[int, ...]) -> list[torch.Tensor]:
    """q, k, v and the gradient of the output, whose numbers bfloat16 holds exactly; float64, CPU."""
    rows, heads, groups, length, width = shape
    generator = torch.Generator().manual_seed(0)
    sizes = [(rows, heads, length, width), *[(rows, groups, length, width)] * 2]
    sizes.append((rows, length, heads, width))
    return [torch.randn(size, generator=generator).bfloat16().double() for size in sizes]


def attended(kind: str, ids: torch.Tensor, given: list[torch.Tensor]) -> list[torch.Tensor]:
    """Output [rows, length, heads, width] and the gradients of q, k and v by the project's function."""
    *inputs, above = given
    # As a layer hands them over: a view of [rows, length, heads, width].
    inputs = [t.transpose(1, 2).contiguous().transpose(1, 2).requires_grad_() for t in inputs]
    plan = attention.to(attention.packing(kind, ids), inputs[0].device)
    out, _ = attention.attend(torch.nn.Identity(), *inputs, None, packing=plan)
    return [out.detach(), *torch.autograd.grad(out, inputs, above)]


def flex(ids: torch.Tensor, given: list[torch.Tensor]) -> list[torch.Tensor]:
    """The same by PyTorch's flex attention, compiled as its users compile it."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    *inputs, above = given
    here = ids.to(inputs[0].device)

    def seen(b, h, q, k):
        return (q >= k) & (here[b, q] == here[b, k])

    mask = create_block_mask(seen, len(ids), None, ids.shape[1], ids.shape[1], device=here.device)
    inputs = [t.contiguous().requires_grad_() for t in inputs]
    called = torch.compile(flex_attention, dynamic=False)
    out = called(*inputs, block_mask=mask, enable_gqa=True).transpose(1, 2)
    return [out.detach(), *torch.autograd.grad(out, inputs, above)]


def error(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Relative error in the Frobenius norm."""
    return float((found.cpu().double() - wanted).norm() / wanted.norm())


def milliseconds(call, device: torch.device, turns: int) -> float:
    """Median of several calls after one."""
    times = []
    for _ in range(turns + 1):
        if device.type == "cuda":
            torch.cuda.synchronize()
        began = time.perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - began))
    return sorted(times[1:])[turns // 2]


def kinds(device: torch.device) -> dict[str, tuple[torch.dtype, str]]:
    """Kind -> (dtype, why it is not here, or nothing)."""
    cuda = device.type == "cuda"
    gpu = "" if cuda else "needs CUDA"
    flash = "" if importlib.util.find_spec("flash_attn") else "flash-attn is not installed"
    return {
        "blocked": (torch.float32, "is for a CPU" if cuda else ""),
        "sdpa": (torch.float32, ""),
        "varlen": (torch.bfloat16, gpu),
        "flash": (torch.bfloat16, gpu or flash),
        "flex": (torch.bfloat16, gpu),
    }


def run(session) -> None:
    """One line a kind and shape; on a CPU the kernels' arguments by their doubles."""
    device = torch.device(session.device)
    for name, shape in (TINY if session.tiny else SHAPES).items():
        ids, exact = segments(shape[0], shape[3]), operands(shape)
        wanted = attended("sdpa", ids, exact)
        for kind, (dtype, why) in kinds(device).items():
            what = f"{kind}, heads of {name}"
            if why and kind in ("varlen", "flash") and device.type == "cpu":
                with double.kernels():
                    _compare(
                        session, f"{what}, double of the kernel", kind, dtype, ids, exact, wanted
                    )
            if kind == "flex" and not why and session.left() < FLEX:
                why = f"{session.left():.0f} s were left of this part"
            if why:
                session.part.add(absent(what, why))
                continue
            try:
                _compare(session, what, kind, dtype, ids, exact, wanted)
            except Exception as failure:  # one kernel that is refused hides none of the others
                said = f"{type(failure).__name__}: {failure}"
                if kind == "flex":
                    session.part.add(absent(what, said))
                else:
                    session.part.add(holds(what, False, said[:300], "runs"))


def _compare(session, what, kind, dtype, ids, exact, wanted) -> None:
    device = torch.device(session.device)
    given = [t.to(device, dtype) for t in exact]
    call = (lambda: flex(ids, given)) if kind == "flex" else (lambda: attended(kind, ids, given))
    found = call()
    worst = max(error(one, other) for one, other in zip(found, wanted, strict=True))
    session.part.add(at_most(f"{what}: error, forward and backward", worst, BOUND[dtype]))
    if not session.tiny:
        spent = milliseconds(call, device, 5)
        session.part.add(fact(f"{what}: forward and backward", f"{spent:.2f} ms"))
    if kind == "flex":
        return
    with _deterministic():
        one, two = call(), call()
    equal = all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    session.part.add(holds(f"{what}: twice, deterministic", equal, "same bits" if equal else "other bits", "same bits"))  # fmt: skip


@contextlib.contextmanager
def _deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
