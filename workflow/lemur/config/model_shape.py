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
    if config.get("head_dim") not in (None, made["hidden"] // made["heads"]):
        made["head_dim"] = config["head_dim"]
    # Qwen2's code has these biases and Qwen3's these norms, whatever the file says.
    if config.get("model_type") == "qwen2":
        made["biases"] = "queries-keys-values"
    elif config.get("attention_bias"):
        made["biases"] = "attention"
    if config.get("model_type") == "qwen3":
        made["head_norms"] = True
    return {**made, "tied_embeddings": bool(config.get("tie_word_embeddings"))}
