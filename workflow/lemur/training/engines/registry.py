"""Which engine a recipe gets."""

import os

import torch
from transformers import PreTrainedModel

from lemur.core.errors import UserError
from lemur.training.engines.base import Engine
from lemur.training.settings import Spec


def check_device(spec: Spec) -> None:
    """A GPU where the recipe asks for one; the CPU never stands in for it."""
    if spec.device == "cuda" and not torch.cuda.is_available():
        raise UserError(f"{spec.key('parallel.device')}: cuda, but no GPU is visible")


def build(model: PreTrainedModel, spec: Spec) -> Engine:
    """The engine that the recipe names, around a float32 model; imports only what it needs."""
    check_device(spec)
    if spec.device == "cuda" and spec.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for it
        torch.use_deterministic_algorithms(True)
    if spec.engine == "torch":
        from lemur.training.engines.torch_engine import TorchEngine

        return TorchEngine(model, spec)
    from lemur.training.engines.deepspeed_engine import DeepSpeedEngine

    return DeepSpeedEngine(model, spec)
