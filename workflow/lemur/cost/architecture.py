"""Parameters of a Llama-architecture model from its shape (config/models.yaml, architecture)."""

from dataclasses import dataclass
from typing import Literal

from lemur.core.contracts import optional, part


@dataclass(frozen=True)
class Architecture:
    """The shape of a model; widths in numbers, ``vocabulary`` in tokens."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    tied_embeddings: bool
    max_context: int | None = optional()
    """Positions."""
    head_dim: int | None = optional()
    """Width of a head where that is not ``hidden`` over ``heads``."""
    biases: Literal["queries-keys-values", "attention"] | None = optional()
    """Which products of attention add a bias: those at its entrance (Qwen2), or that at its exit too."""
    feed_forward_biases: bool | None = optional()
    """Whether the three products of the feed-forward add a bias each."""
    head_norms: bool | None = optional()
    """Whether queries and keys are normed by head (Qwen3)."""

    @classmethod
    def read(cls, shape: object, where: str = "architecture") -> "Architecture":
        """From a mapping such as config/models.yaml has; ``UserError`` for a key that is missing."""
        return part(cls, shape, where)

    @property
    def queries(self) -> int:
        """Width of a layer's queries."""
        return self.heads * self.head

    @property
    def keys(self) -> int:
        """Width of a layer's keys, and of its values (grouped-query attention: below ``hidden``)."""
        return self.kv_heads * self.head

    @property
    def head(self) -> int:
        """Width of a head."""
        return self.head_dim or self.hidden // self.heads


def layer_parameters(shape: Architecture) -> dict[str, int]:
    """Parameters of one block, by part; a gated feed-forward has three matrices."""
    gated = 2 * shape.intermediate + shape.hidden if shape.feed_forward_biases else 0
    entrance = shape.queries + 2 * shape.keys if shape.biases else 0
    exit_ = shape.hidden if shape.biases == "attention" else 0
    return {
        "attention": 2 * shape.hidden * (shape.queries + shape.keys) + entrance + exit_,
        "feed_forward": 3 * shape.hidden * shape.intermediate + gated,
        "norms": 2 * shape.hidden + (2 * shape.head if shape.head_norms else 0),
    }


def parameters(shape: Architecture) -> dict[str, int]:
    """Parameters of the model by part, and ``total``. Tied embeddings count once."""
    table = shape.vocabulary * shape.hidden
    parts = {name: shape.layers * count for name, count in layer_parameters(shape).items()}
    parts["norms"] += shape.hidden
    parts["embedding"] = table
    parts["output"] = 0 if shape.tied_embeddings else table
    return {**parts, "total": sum(parts.values())}
