"""Parameters of a Llama-architecture model from its shape (config/models.yaml, architecture)."""

from typing import Any

Architecture = dict[str, Any]


def head_width(shape: Architecture) -> int:
    """Width of one attention head."""
    return shape.get("head_dim") or shape["hidden"] // shape["heads"]


def key_value_width(shape: Architecture) -> int:
    """Width of a layer's keys, and of its values (grouped-query attention: below ``hidden``)."""
    return shape["kv_heads"] * head_width(shape)


def layer_parameters(shape: Architecture) -> dict[str, int]:
    """Parameters of one block, by part. No biases; a gated feed-forward has three matrices."""
    hidden, queries = shape["hidden"], shape["heads"] * head_width(shape)
    return {
        "attention": 2 * hidden * queries + 2 * hidden * key_value_width(shape),
        "feed_forward": 3 * hidden * shape["intermediate"],
        "norms": 2 * hidden,
    }


def parameters(shape: Architecture) -> dict[str, int]:
    """Parameters of the model by part, and ``total``. Tied embeddings count once."""
    table = shape["vocabulary"] * shape["hidden"]
    parts = {name: shape["layers"] * count for name, count in layer_parameters(shape).items()}
    parts["norms"] += shape["hidden"]
    parts["embedding"] = table
    parts["output"] = 0 if shape["tied_embeddings"] else table
    return {**parts, "total": sum(parts.values())}
