"""The arithmetic that a recipe's precision comes to on a device."""

import torch

from lemur.models import bfloat16


def arithmetic(precision: str, device: torch.device) -> str:
    """``precision``, but fp32 for bf16 on a CPU that has no instructions for it.

    float32 is faster there and rounds less; what is saved stays bfloat16. The torch engine alone
    asks: it is the one that trains on a CPU outside of tests.
    """
    return precision if bfloat16.native(device) else "fp32"


def described(precision: str, engine: str, device: torch.device) -> str:
    """The precision for a line of the log."""
    computed = arithmetic(precision, device) if engine == "torch" else precision
    why = "this CPU has no instructions for bfloat16"
    return precision if computed == precision else f"{precision} (in float32: {why})"
