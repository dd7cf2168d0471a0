"""LoRA: small trained matrices beside frozen ones, merged into them when the run has ended.

peft puts the adapters into the model in place, so that engines, loss and attention see the model
that they know with fewer parameters to train; checkpoints hold those alone.
"""

import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from peft.tuners.lora import LoraLayer
from transformers import PreTrainedModel

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.models import folder_tensors, outlines, tensor_file
from lemur.models.tensor_file import Entry
from lemur.models.weights import load_weights, read_config
from lemur.training import chat
from lemur.training.settings import Lora, Spec

ADAPTER = "lora_"  # in the name of every parameter of an adapter, and of no other
PREFIX, WEIGHTS = "base_model.model.", "adapter_model.safetensors"  # peft's names


def wrap(
    model: PreTrainedModel, spec: Spec, new_tokens: int, shapes_alone: bool = False
) -> PeftModel:
    """Put adapters into ``model`` and freeze the rest; with ``shapes_alone``, adapters without numbers.

    Where the vocabulary grew by ``new_tokens`` the embeddings (and the output layer) are trained
    as well: frozen at their mean, the new tokens could not be told from each other.
    """
    assert spec.lora is not None
    # Not drawn from a step: every rank and every continued run starts from the same adapters.
    torch.manual_seed(spec.seed)
    try:
        wrapped = get_peft_model(model, _config(spec.lora), low_cpu_mem_usage=shapes_alone)
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
    _save(wrapped, adapter, named, bool(added), parameters.__getitem__)
    return wrapped.merge_and_unload()


class Merging:
    """What ``merged`` returns, a weight at a time, for ranks of which none holds all of them.

    ``trained`` gives a trained parameter, float32, by its name in the wrapped model. Raises
    LookupError where ``base`` has to be loaded as a whole.
    """

    def __init__(self, base: Path, spec: Spec, trained: Callable[[str], torch.Tensor]):
        self.trained = trained
        model = outlines.shapes_alone(read_config(base))
        self.stored = folder_tensors.find(base, model)
        if self.stored is None:
            raise LookupError(f"{base}: not read tensor by tensor")
        self.added = chat.add_markers(model, base) if spec.vocabulary == "chatml" else 0
        self.wrapped = wrap(model, spec, self.added, shapes_alone=True)
        self.adapted = defaultdict(
            list
        )  # by the weight that adapters are beside: weights may be tied
        for name, module in model.named_modules():
            if isinstance(module, LoraLayer):
                self.adapted[id(module.get_base_layer().weight)].append((name, module))
        self.parameters = {
            name.replace(".base_layer.", "."): (name, p)
            for name, p in model.named_parameters()
            if ADAPTER not in name
        }
        self.shapes = {name: p.shape for name, (_, p) in self.parameters.items()}

    def tensor(self, name: str) -> torch.Tensor:
        """A published weight, float32, on the CPU."""
        own, p = self.parameters[name]
        weight = self.trained(own) if p.requires_grad else self.stored.read(name)
        for place, layer in self.adapted[id(p)]:
            weight = self._merge(place, layer, weight)
        return weight

    def _merge(self, place: str, layer: LoraLayer, weight: torch.Tensor) -> torch.Tensor:
        """``weight`` with the adapters of ``layer`` added in, by the library's own arithmetic."""
        names = [name for name, _ in layer.named_parameters() if ADAPTER in name]
        state = {name: self.trained(f"{place}.{name}") for name in names}
        layer.load_state_dict({**state, "base_layer.weight": weight}, strict=False, assign=True)
        layer.merge()
        made = layer.get_base_layer().weight.data
        layer.merged_adapters.clear()
        layer.to("meta")
        return made

    def save_adapter(self, adapter: Path, named: str) -> None:
        """Keep the adapters in ``adapter``, as ``merged`` does."""
        _save(self.wrapped, adapter, named, bool(self.added), self.trained)


def _save(
    wrapped: PeftModel,
    adapter: Path,
    named: str,
    embeddings: bool,
    trained: Callable[[str], torch.Tensor],
) -> None:
    """adapter_model.safetensors and adapter_config.json, as peft loads them; swapped in whole."""
    temporary = adapter.with_name(f".{adapter.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    model = wrapped.get_base_model()
    first = {id(p): name for name, p in model.named_parameters()}
    own = {  # a tied weight is trained under its first name
        f"{PREFIX}{name.replace('.default', '')}": first[id(p)]
        for name, p in model.named_parameters(remove_duplicate=False)
    }
    kept = get_peft_model_state_dict(wrapped, save_embedding_layers=embeddings)
    described = {name: Entry(torch.float32, tuple(tensor.shape)) for name, tensor in kept.items()}
    tensor_file.write(
        temporary / WEIGHTS, described, lambda name: trained(own[name]), {"format": "pt"}
    )
    config = wrapped.peft_config["default"]
    config.base_model_name_or_path, config.inference_mode = named, True
    config.save_pretrained(temporary)
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
