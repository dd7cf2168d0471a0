"""The arithmetic that a recipe's precision comes to on a device."""

import torch

from lemur.models import bfloat16


def choose_arithmetic(precision: str, engine: str, device: torch.device) -> str:
    """``precision``, but fp32 for the torch engine's bf16 on a CPU without instructions for it.

    float32 is faster there and rounds less; what is saved stays bfloat16. DeepSpeed trains on a CPU
    in tests alone, and in the precision that it is told.
    """
    return "fp32" if engine == "torch" and not bfloat16.native(device) else precision


def described(precision: str, engine: str, device: torch.device) -> str:
    """The precision for a line of the log."""
    computed = choose_arithmetic(precision, engine, device)
    why = "this CPU has no instructions for bfloat16"
    return precision if computed == precision else f"{precision} (in float32: {why})"
