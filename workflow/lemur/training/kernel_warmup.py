"""Kernels that are compiled when they are first called, compiled before a run: one step of two layers.

torch.compile's and Liger's are: Inductor calls a C++ compiler for a CPU, Triton a C compiler for a
GPU. Both keep what they made in the folders that TORCHINDUCTOR_CACHE_DIR and TRITON_CACHE_DIR name
(the rules point them below .kernels/), and what is there is not compiled again. DeepSpeed
compiles nothing here: the optimiser is PyTorch's AdamW, offloaded or not, and its operation for sums
over CPU ranks is switched off.
"""

import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.training import auto_micro_batch, loss
from lemur.training.batches import Batch
from lemur.training.compiled import check_compiler
from lemur.training.engines import registry
from lemur.training.model import read_config
from lemur.training.settings import Spec, parse

# All layers share their kernels, but the first one's input may need no gradient (LoRA).
LAYERS = 2


def asked_by(spec: Spec) -> str | None:
    """The recipe's key that has kernels compiled, ``compile`` or ``cross_entropy``; None: none does."""
    if spec.compile:
        return "compile"
    liger = loss.choose(spec.cross_entropy, torch.device(spec.device)) == "liger"
    return "cross_entropy" if liger else None


def prebuild(values: Values, folder: Path) -> str | None:
    """Compile what training ``folder`` with the settings ``values`` will call; what to say of it.

    Collective: every rank goes through one update of the recipe's micro batch, by its own engine, on
    a model of ``folder``'s shape cut to two layers of random weights. None: nothing is compiled.
    UserError, in one line, where there is no compiler or it fails.
    """
    spec = _one_pass(values, folder)
    key = asked_by(spec)
    if key is None:
        return None
    check_compiler(spec, key)
    if spec.threads:
        torch.set_num_threads(spec.threads)  # Inductor writes their number into a CPU's code
    began, before = time.perf_counter(), _graphs()
    try:
        registry.build(_cut(folder, spec), spec).train_step(
            [_batch(spec)], spec.global_batch_tokens, 0.0
        )
    except UserError:
        raise
    except Exception as error:
        said = next((line for line in str(error).splitlines() if line.strip()), "")
        raise UserError(
            f"{spec.key(key)}: kernels could not be compiled: {type(error).__name__}: {said.strip()}"
        ) from error
    made, found = (now - then for now, then in zip(_graphs(), before, strict=True))
    if spec.compile and not made + found:
        # Training goes on, no faster than without.
        return f"warning: {spec.key('compile')}: true, but no layer was compiled"
    graphs = f", {made} graphs compiled and {found} found" if spec.compile else ""
    return f"kernels ready after {time.perf_counter() - began:.0f} s{graphs}"


def _one_pass(values: Values, folder: Path) -> Spec:
    """The settings with one micro batch a rank and step."""
    spec = parse(auto_micro_batch.resolved(values, folder))
    unit = spec.context * spec.micro * spec.world
    return parse({**spec.raw, "tokens": unit, "epochs": None, "global_batch_tokens": unit})


def _cut(folder: Path, spec: Spec) -> PreTrainedModel:
    config = read_config(folder)
    config.num_hidden_layers = min(LAYERS, config.num_hidden_layers)
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[: config.num_hidden_layers]
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    if spec.lora is not None:
        from lemur.training import lora  # peft, only where it is asked for

        lora.wrap(model, spec, 0)
    return model


def _batch(spec: Spec) -> Batch:
    """One document a sequence."""
    nothing = torch.zeros(spec.micro, spec.context, dtype=torch.int64)
    places = torch.arange(spec.context).expand_as(nothing).contiguous()
    return Batch(nothing, nothing, nothing, places)


def _graphs() -> tuple[int, int]:
    """Graphs that Inductor compiled, and that it found compiled, in this process."""
    counts = torch._dynamo.utils.counters["inductor"]
    return counts["fxgraph_cache_miss"], counts["fxgraph_cache_hit"]
