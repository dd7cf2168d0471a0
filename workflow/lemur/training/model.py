"""The model as the engines see it: a batch goes in, the summed loss comes out."""

import functools
from pathlib import Path

import torch
from transformers import PretrainedConfig, PreTrainedModel

from lemur.core.errors import UserError
from lemur.models import weights
from lemur.models.outlines import outline, stored_outline
from lemur.tokenization.packed import PackedDataset
from lemur.training import attention
from lemur.training.batches import Batch
from lemur.training.compiled import compile_layers
from lemur.training.loss import choose, cross_entropy_sum
from lemur.training.settings import Spec

# What these families have on top of attention and a linear output is not in our loss.
CHANGED_LOGITS = ("final_logit_softcapping", "logit_scale", "logits_scaling")


class PackedLoss(torch.nn.Module):
    """A causal language model whose forward pass gives the sum of its cross-entropies.

    The output layer is called as a module, so that engines which shard parameters gather its
    weight; its forward computes the loss without ever holding all logits.
    """

    def __init__(
        self, model: PreTrainedModel, kind: str, z_loss: float = 0.0, kernel: str = "chunked"
    ):
        super().__init__()
        self.causal = model
        self.kind = kind
        self.layers = model.config.num_hidden_layers
        attention.install(model)
        head = model.get_output_embeddings()
        head.forward = functools.partial(_head_loss, head, z_loss, kernel)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Sum of the losses of a batch in nats, float64 scalar."""
        device = self.causal.device
        plan = attention.to(attention.packing(self.kind, batch.segment_ids), device)
        batch = batch.to(device)
        hidden = self.causal.get_decoder()(
            input_ids=batch.input_ids,
            position_ids=batch.position_ids,
            use_cache=False,
            packing=plan,
        ).last_hidden_state
        # Recomputation in the backward pass calls attention again, but after this line.
        if plan.used != self.layers:
            raise UserError(
                f"base: {plan.used} of {self.layers} layers of '{self.causal.config.model_type}' "
                "attended inside documents only; this model type is not supported"
            )
        return self.causal.get_output_embeddings()(hidden, batch.labels)


def _head_loss(
    head: torch.nn.Linear, z_loss: float, kernel: str, hidden: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    return cross_entropy_sum(hidden, head.weight, labels, z_loss, kernel)


def packed_loss(model: PreTrainedModel, spec: Spec) -> PackedLoss:
    """The module that an engine trains, as the recipe has it; the model stands on its device."""
    try:
        kind = attention.choose(spec.attention, model.device, spec.precision)
        kernel = choose(spec.cross_entropy, model.device)
    except UserError as error:  # begins with the key
        raise UserError(spec.key(str(error))) from None
    made = PackedLoss(model, kind, spec.z_loss, kernel)
    if spec.compile:
        compile_layers(model, spec)
    return made


def load(folder: Path, spec: Spec, data: PackedDataset, rank: int = 0) -> PreTrainedModel:
    """A model folder in float32 on the CPU, checked against the recipe and the packed data.

    Everything that cannot fit is a UserError that names the recipe's key, before any training. With
    ZeRO 3 every rank gets an outline; only that of rank 0 can read weights, a parameter at a time,
    which the engine hands on. What cannot be read so, rank 0 reads as a whole.
    """
    config = read_config(folder)
    if data.context != spec.context:
        raise UserError(
            f"{spec.key('context')}: {spec.context}, but {data.path} was packed with {data.context}"
        )
    longest = getattr(config, "max_position_embeddings", None)
    if longest is not None and spec.context > longest:
        raise UserError(
            f"{spec.key('context')}: {spec.context} is longer than the {longest} positions of {folder}"
        )
    if not hasattr(config, "num_attention_heads"):
        raise UserError(
            f"base: models of type '{config.model_type}' have no attention that could be kept inside "
            "documents, so documents in one sequence would see each other"
        )
    if any(getattr(config, name, None) for name in CHANGED_LOGITS):
        raise UserError(
            f"base: '{config.model_type}' changes its logits, which the loss leaves out"
        )
    if spec.zero_stage == 3 and rank:
        return outline(config, torch.bfloat16 if spec.precision == "bf16" else torch.float32)
    if spec.zero_stage == 3 and spec.engine == "deepspeed":
        model = stored_outline(folder, config, grows=spec.vocabulary == "chatml")
        if model is not None:
            return model
    return _weights(folder, config)


def read_config(folder: Path) -> PretrainedConfig:
    """A model folder's config.json; UserError where it is missing or wrong."""
    try:
        return weights.read_config(folder)
    except UserError as error:
        raise UserError(f"base: {error}") from None


def _weights(folder: Path, config: PretrainedConfig) -> PreTrainedModel:
    try:
        return weights.load_weights(folder, torch.float32, config)
    except UserError as error:
        raise UserError(f"base: {error}") from None


def check_vocabulary(model: PreTrainedModel, spec: Spec, data: PackedDataset) -> None:
    """Every token of the data must have an embedding."""
    rows = model.get_input_embeddings().weight.shape[0]
    if data.vocabulary > rows:
        raise UserError(
            f"{spec.key('vocabulary')}: {data.path} uses {data.vocabulary} tokens, the base has "
            f"{rows}: it was tokenized for another base"
        )
