"""LoRA: small trained matrices beside frozen ones, merged into them when the run has ended.

peft puts the adapters into the model in place, so that engines, loss and attention see the model
that they know with fewer parameters to train; checkpoints hold those alone.
"""

import os
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.models.weights import load_weights
from lemur.training import chat
from lemur.training.settings import Lora, Spec


def wrap(model: PreTrainedModel, spec: Spec, new_tokens: int) -> PeftModel:
    """Put adapters into ``model`` and freeze the rest.

    Where the vocabulary grew by ``new_tokens`` the embeddings (and the output layer) are trained
    as well: frozen at their mean, the new tokens could not be told from each other.
    """
    assert spec.lora is not None
    # Not drawn from a step: every rank and every continued run starts from the same adapters.
    torch.manual_seed(spec.seed)
    try:
        wrapped = get_peft_model(model, _config(spec.lora))
    except ValueError as error:  # no layer of these names
        said = str(error).split("\n")[0]
        raise UserError(f"{spec.key('lora.targets')}: {spec.lora.targets}: {said}") from None
    if new_tokens:
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            layer.weight.requires_grad_(True)
    return wrapped


def _config(lora: Lora) -> LoraConfig:
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets if isinstance(lora.targets, str) else list(lora.targets),
        bias="none",
        task_type="CAUSAL_LM",
    )


def merged(
    base: Path, spec: Spec, parameters: dict[str, torch.Tensor], adapter: Path, named: str
) -> PreTrainedModel:
    """The model with its trained adapters added in, in float32; the adapters are kept in ``adapter``.

    ``base`` is loaded again rather than taken from an engine, which may hold it in 16 bits or in
    shards. ``parameters``: the trained ones, float32, by the names of the wrapped model.
    """
    model = load_weights(base, torch.float32)
    added = chat.add_markers(model, base) if spec.vocabulary == "chatml" else 0
    wrapped = wrap(model, spec, added)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    with torch.no_grad():
        for name, p in trained.items():
            p.copy_(parameters[name])
    _save(wrapped, adapter, named, bool(added))
    return wrapped.merge_and_unload()


def _save(wrapped: PeftModel, adapter: Path, named: str, embeddings: bool) -> None:
    """adapter_model.safetensors and adapter_config.json, as peft loads them; swapped in whole."""
    temporary = adapter.with_name(f".{adapter.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    wrapped.peft_config["default"].base_model_name_or_path = named
    wrapped.save_pretrained(temporary, save_embedding_layers=embeddings)
    config = read_json(temporary / "adapter_config.json")
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()  # a set's order differs from process to process
    write_json(temporary / "adapter_config.json", config)
    (temporary / "README.md").write_text(
        f"LoRA adapter of {named}; the folder `model` beside this one has it merged in.\n",
        encoding="utf-8",
    )
    shutil.rmtree(adapter, ignore_errors=True)
    os.rename(temporary, adapter)
