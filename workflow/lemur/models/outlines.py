"""Models whose weights are not in memory, for ranks that share one and for what only needs its shapes."""

from pathlib import Path

import torch
from accelerate import init_empty_weights  # comes with peft
from transformers import AutoModelForCausalLM, GenerationConfig, PretrainedConfig, PreTrainedModel

from lemur.models import folder_tensors

STORED = "stored"  # the attribute of a parameter of ``stored_outline`` that reads its numbers


def outline(config: PretrainedConfig, dtype: torch.dtype) -> PreTrainedModel:
    """A model whose layers take no memory: each weight is one number that looks like a matrix.

    Eight ranks of a node that each held 70 billion weights would need 2.2 TB. Embeddings are real,
    since a vocabulary may grow, and buffers, which nobody hands on.
    """
    with init_empty_weights(include_buffers=False):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.weight = torch.nn.Parameter(torch.empty(module.weight.shape, dtype=dtype))
    stand_in(model)
    model.tie_weights()
    return model


def stand_in(model: torch.nn.Module) -> None:
    """Let one number look like the matrix of each parameter of ``model`` that has none yet."""
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            if p.is_meta:
                number = torch.zeros((), dtype=p.dtype).expand(p.shape)
                setattr(module, name, torch.nn.Parameter(number, p.requires_grad))


def stored_outline(
    folder: Path, config: PretrainedConfig, grows: bool = False
) -> PreTrainedModel | None:
    """A float32 outline whose parameters know how to read their numbers from ``folder``; None where
    the folder has to be loaded as a whole (``folder_tensors.find``).

    ``grows``: the vocabulary will, so that embeddings and output layer are read at once.
    """
    model = outline(config, torch.float32)
    tensors = folder_tensors.find(folder, model)
    if tensors is None:
        return None
    ends = {id(layer.weight) for layer in _ends(model)} if grows else set()
    for name, p in model.named_parameters():
        if id(p) in ends:
            p.data = tensors.read(name)
        else:
            setattr(p, STORED, lambda name=name: tensors.read(name))
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model


def numbers(p: torch.nn.Parameter) -> torch.Tensor:
    """What a parameter holds, read from its folder where it is one of ``stored_outline``."""
    read = getattr(p, STORED, None)
    return p.data if read is None else read()


def shapes_alone(config: PretrainedConfig) -> PreTrainedModel:
    """A float32 model with every name and shape and not one number, embeddings and buffers included."""
    with init_empty_weights(include_buffers=True):
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def _ends(model: PreTrainedModel) -> list[torch.nn.Module]:
    layers = (model.get_input_embeddings(), model.get_output_embeddings())
    return [layer for layer in layers if layer is not None]
