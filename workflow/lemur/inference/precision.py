"""Which numbers a model is computed with here, and on what device."""

import torch

from lemur.core.errors import UserError
from lemur.models import bfloat16

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def choose_device(name: str | None = None) -> torch.device:
    """The device that is named, else a GPU where there is one."""
    return torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What ``precision`` is computed in on ``device``: a CPU without instructions for bfloat16 is
    faster by far in float32, and rounds less; the weights are the same numbers. UserError for an
    unknown precision."""
    if precision not in DTYPES:
        raise UserError(f"precision '{precision}': allowed are {', '.join(DTYPES)}")
    dtype = DTYPES[precision]
    return torch.float32 if dtype == torch.bfloat16 and not bfloat16.native(device) else dtype
