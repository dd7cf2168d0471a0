"""What training costs while it runs: speed, utilisation, waiting for data, memory."""

import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from lemur.cost.flops import flops_a_token
from lemur.training.precision import choose_arithmetic
from lemur.training.settings import Spec

# Side of the square matrices that a device's rate is measured with: large enough to reach it.
SIDE = {"cpu": 1024, "cuda": 8192}
SECONDS = 0.15
DTYPE = {"bf16": torch.bfloat16, "fp32": torch.float32}


def model_flops_a_token(model: torch.nn.Module, context: int) -> float:
    """Model FLOPs of training on a token (6N and attention), from a transformers model."""
    config = model.config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    count = sum(p.numel() for p in model.parameters())
    queries = config.num_attention_heads * width
    return flops_a_token(count, config.num_hidden_layers, queries, context)


def matrix_rate(device: torch.device, precision: str, seconds: float = SECONDS) -> float:
    """FLOP/s of the best of several products of two square matrices: what a device can reach here.

    On a CPU with the threads that this process has. The numbers are random: a GPU multiplies equal
    ones faster than it multiplies weights, since fewer bits change and it draws less power.
    """
    side, dtype = SIDE[device.type], DTYPE[precision]
    # A generator of its own: the stage's random numbers are not touched.
    generator = torch.Generator(device).manual_seed(0)
    shape = (side, side)
    a, b = (torch.randn(shape, generator=generator, dtype=dtype, device=device) for _ in range(2))
    out, best, began = torch.empty_like(a), float("inf"), time.perf_counter()
    for turn in range(1_000):
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        now = time.perf_counter()
        if turn:  # the first one warms up
            best = min(best, now - start)
        if turn > 1 and now - began > seconds:
            break
    return 2.0 * side**3 / best


@functools.cache
def measured_rate(device: torch.device, precision: str, threads: int) -> float:
    """``matrix_rate``, measured once a process for a device, a precision and a number of threads."""
    return matrix_rate(device, precision)


class Meter:
    """Measures the steps of one rank; ``flops``: model FLOPs a token."""

    def __init__(self, spec: Spec, device: torch.device, flops: float):
        self.tokens, self.flops, self.device = spec.global_batch_tokens, flops, device
        precision = choose_arithmetic(spec.precision, spec.engine, device)
        self.peak = measured_rate(device, precision, torch.get_num_threads()) * spec.world
        side = SIDE[device.type]
        self.described = (
            f"{self.peak / 1e12:.3g} TFLOP/s reached by {spec.world} rank(s) in a product of "
            f"{side} x {side} matrices, {precision}: utilisation is a share of that"
        )
        self.process = psutil.Process()
        self.waited = 0.0
        self.began = time.perf_counter()

    def start(self) -> None:
        """A step begins."""
        self.began, self.waited = time.perf_counter(), 0.0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the reading of data."""
        before = time.perf_counter()
        yield
        self.waited += time.perf_counter() - before

    def memory_mb(self) -> float:
        """Most that tensors took on the GPU so far; on a CPU what this process holds now."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 1e6
        return self.process.memory_info().rss / 1e6

    def read(self) -> dict[str, float]:
        """The step since ``start``, by ``metrics.TIMING``."""
        spent = time.perf_counter() - self.began
        speed = self.tokens / spent
        return {
            "tokens_per_second": round(speed, 1),
            "seconds": round(spent, 4),
            "mfu": round(speed * self.flops / self.peak, 4),
            "peak_tflops": float(f"{self.peak / 1e12:.4g}"),
            "data_seconds": round(self.waited, 5),
            "memory_mb": round(self.memory_mb(), 1),
        }


def words(measured: dict[str, float]) -> str:
    """A measured step for the progress line."""
    share = f", {100 * measured['mfu']:.0f}% of peak"
    waited = f", data {measured['data_seconds']:.2f} s" if measured["data_seconds"] > 0.01 else ""
    return f"{measured['memory_mb'] / 1e3:.1f} GB{share}{waited}"
