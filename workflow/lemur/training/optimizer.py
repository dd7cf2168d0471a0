"""AdamW with decay where it belongs, and its state by parameter name."""

import torch

from lemur.training.settings import Spec

MOMENTS = ("exp_avg", "exp_avg_sq")


def decays(name: str, shape: torch.Size, embeddings: set[str]) -> bool:
    """Matrices decay; norms, biases and embeddings (an output layer tied to them too) do not."""
    return len(shape) >= 2 and name not in embeddings


def groups(
    parameters: dict[str, torch.Tensor],
    embeddings: set[str],
    weight_decay: float,
    shapes: dict[str, torch.Size] | None = None,
) -> list[dict]:
    """Parameter groups for torch's optimisers: with and without decay, each in the given order.

    ``shapes``: of the whole parameters, where these are shards.
    """
    made, shapes = [], shapes or {name: p.shape for name, p in parameters.items()}
    for decay in (True, False):
        mine = [
            p for name, p in parameters.items() if decays(name, shapes[name], embeddings) is decay
        ]
        if mine:
            made.append({"params": mine, "weight_decay": weight_decay if decay else 0.0})
    return made


def build(
    parameters: dict[str, torch.Tensor],
    embeddings: set[str],
    spec: Spec,
    shapes: dict[str, torch.Size] | None = None,
):
    """torch's AdamW over float32 parameters (fused: one pass over memory instead of ten)."""
    return torch.optim.AdamW(
        groups(parameters, embeddings, spec.weight_decay, shapes),
        lr=spec.learning_rate,
        betas=spec.betas,
        eps=spec.epsilon,
        fused=True,
    )


def embedding_names(model: torch.nn.Module) -> set[str]:
    """Names of the input embedding's parameters."""
    mine = {id(p) for p in model.get_input_embeddings().parameters()}
    return {name for name, p in model.named_parameters() if id(p) in mine}
