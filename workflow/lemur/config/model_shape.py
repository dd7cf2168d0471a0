"""A model's shape out of its config.json, without a library that a machine with a GPU may lack."""

from typing import Any

from lemur.config.values import Values
from lemur.core.errors import UserError

_SHAPE = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "heads": "num_attention_heads",
    "intermediate": "intermediate_size",
    "vocabulary": "vocab_size",
    "max_context": "max_position_embeddings",
}


def read_shape(config: Any, where: str) -> Values:
    """``architecture`` of a config.json of any kind of model; ``UserError`` where it says no shape."""
    if not isinstance(config, dict):
        raise UserError(f"{where}: config.json: not a mapping")
    made = {ours: config.get(theirs) for ours, theirs in _SHAPE.items()}
    for ours, theirs in _SHAPE.items():
        if not isinstance(made[ours], int) or isinstance(made[ours], bool) or made[ours] < 1:
            raise UserError(f"{where}: config.json: {theirs}: {made[ours]!r}: a whole number of at least 1 is needed")  # fmt: skip
    made["kv_heads"] = config.get("num_key_value_heads") or made["heads"]
    # What transformers' code of each kind has, whatever a file of that kind says or leaves out.
    kind = config.get("model_type")
    head = config.get("head_dim") or (128 if kind == "qwen3" else None)
    if head not in (None, made["hidden"] // made["heads"]):
        made["head_dim"] = head
    if kind == "qwen2":
        made["biases"] = "queries-keys-values"
    elif kind in ("llama", "qwen3") and config.get("attention_bias"):
        made["biases"] = "attention"
    if kind == "llama" and config.get("mlp_bias"):
        made["feed_forward_biases"] = True
    if kind == "qwen3":
        made["head_norms"] = True
    return {**made, "tied_embeddings": bool(config.get("tie_word_embeddings"))}
