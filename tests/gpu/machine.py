"""Part machine: what this is, and the rate of a matrix product that utilisation is a share of."""

import importlib
import importlib.metadata
import platform

import torch
from lemur.training.throughput import SIDE, matrix_rate

from gpu.report import NO_GPU, absent, fact

PACKAGES = (
    "torch", "triton", "transformers", "accelerate", "peft", "safetensors", "tokenizers", "numpy",
    "pyarrow", "flash-attn", "liger-kernel", "torchtitan", "ai2-olmo-core",
)  # fmt: skip


def version(name: str) -> str | None:
    """Of an installed package, or of one that a wheel brought; None without it."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def device_name(device: str) -> str:
    """The device in words."""
    if device == "cpu":
        from bench.ratios import processor

        return processor()
    properties = torch.cuda.get_device_properties(0)
    count = torch.cuda.device_count()
    return (
        f"{count} x {properties.name}, {properties.total_memory / 2**30:.0f} GiB, compute capability "
        f"{properties.major}.{properties.minor}, CUDA {torch.version.cuda}"
    )


def run(session) -> None:
    """Facts for the head of the page, and the matrix rate."""
    # Read from a cold disk once, here, where there is time for it, and not by the first part that has none.
    importlib.import_module("lemur.training.model")
    versions = {"Python": platform.python_version()}
    versions |= {name: version(name) or "not here" for name in PACKAGES}
    session.part.facts["versions"] = versions
    if session.device == "cuda" and not torch.cuda.is_available():
        session.part.facts["device"] = NO_GPU
        session.part.add(absent("a GPU", "torch.cuda.is_available() is false"))
        raise SystemExit(NO_GPU)
    session.part.facts["device"] = device_name(session.device)
    device = torch.device(session.device)
    precisions = ("bf16", "fp32") if session.device == "cuda" else ("fp32",)
    for precision in precisions:
        rate = matrix_rate(device, precision)
        side = SIDE[device.type]
        what = f"matrix rate, {precision}, {side} x {side}"
        session.part.add(fact(what, f"{rate / 1e12:.3g} TFLOP/s"))
