"""torch.compile, a layer at a time: one graph serves all layers, and it is made in seconds."""

import functools
import os
import shutil

from transformers import PreTrainedModel

from lemur.core.errors import UserError
from lemur.training import attention
from lemur.training.settings import Spec

# What a recipe can say instead of the keys that have kernels compiled.
WITHOUT = {"compile": "false", "cross_entropy": "chunked"}


def check_compiler(spec: Spec, key: str = "compile") -> None:
    """Inductor writes C++ for a CPU and has Triton call a C compiler for a GPU; so does Liger.

    ``key``: what in the recipe asks for it.
    """
    wanted = ("c++", "g++", "clang++") if spec.device == "cpu" else ("cc", "gcc", "clang")
    given = os.environ.get("CXX" if spec.device == "cpu" else "CC")
    if not any(shutil.which(name) for name in ((given,) if given else wanted)):
        named = given or " or ".join(wanted)
        raise UserError(
            f"{spec.key(key)}: {str(spec.raw.get(key, 'auto')).lower()} needs a compiler and {named} is not found "
            f"(apt-get install g++), or set it to {WITHOUT[key]}"
        )


def compile_layers(model: PreTrainedModel, spec: Spec) -> None:
    """Compile each block of ``model`` in place, attention left out.

    What attention does depends on where a batch's documents end: compiled, it would be compiled
    again for every batch. Shapes are those of the packed sequences, so nothing else changes.
    """
    check_compiler(spec)
    layers = getattr(model.get_decoder(), "layers", None)
    if layers is None:
        raise UserError(
            f"{spec.key('compile')}: models of type '{model.config.model_type}' have no list of layers"
        )
    attention.outside_graphs()
    for layer in layers:
        layer.compile(dynamic=False)
        if getattr(layer, "gradient_checkpointing", False):
            # By itself the layer recomputes inside of its graph, which attention may then not break:
            # nothing would be compiled. Here the compiled layer is what is called twice.
            layer.gradient_checkpointing = False
            called = layer._gradient_checkpointing_func, layer._compiled_call_impl
            layer._compiled_call_impl = functools.partial(*called)
