"""Peak memory of one rank in training, by part, in bytes.

Weights, gradients and optimiser: ZeRO (Rajbhandari et al. 2020, section 3 and figure 1).
Activations: the counting of Korthikanti et al. 2022 (section 4.1), done for a Llama block: no
dropout, RMSNorm, a gated feed-forward, and attention that never stores its scores.
"""

from typing import Any

from lemur.plan.architecture import (
    Architecture,
    head_width,
    key_value_width,
    layer_parameters,
    parameters,
)

# DeepSpeed gathers one block while the next is on its way (stage3 prefetch).
BLOCKS_GATHERED = 2
# Interpreter, libraries, kernels' workspace, communication buffers. On a CPU fitted to SmolLM2-135M
# (2 x 512 tokens; measured 4.5 GB in bf16, 4.9 in fp32, 3.5 recomputing); on a GPU assumed.
RUNTIME = {"cpu": 1_000_000_000, "cuda": 3_000_000_000}
# The allocator's slack on a GPU, as a share of everything else; assumed.
FRAGMENTATION = {"cpu": 0.0, "cuda": 0.05}


def ranks_of(stage: dict[str, Any]) -> int:
    """Ranks of a stage of a resolved recipe (pretrain or sft)."""
    return stage["parallel"]["nodes"] * stage["parallel"]["processes_per_node"]


def _states(shape: Architecture, stage: dict[str, Any]) -> dict[str, float]:
    """Bytes of weights, gradients and optimiser that a rank holds, wherever it holds them."""
    count = parameters(shape)["total"]
    if stage["precision"] == "fp32":
        weights, gradients, optimiser = 4, 4, 8
    elif stage["engine"] == "torch":  # autocast: float32 weights with a bfloat16 copy of each
        weights, gradients, optimiser = 6, 4, 8
    else:  # ZeRO: 2 + 2 + K bytes, K = 12 for Adam (float32 weights and two moments)
        weights, gradients, optimiser = 2, 2, 12
    zero, ranks = stage["parallel"]["zero_stage"], ranks_of(stage)
    return {
        "weights": weights * count / (ranks if zero >= 3 else 1),
        "gradients": gradients * count / (ranks if zero >= 2 else 1),
        "optimiser": optimiser * count / (ranks if zero >= 1 else 1),
    }


def _block_activations(shape: Architecture, width: int) -> int:
    """Bytes a token that one block keeps for the backward pass, ``width`` bytes a number."""
    queries = shape["heads"] * head_width(shape)
    # Two norms' inputs and outputs; queries and attention's output; keys, values; the gate, its
    # activation, the up-projection and their product; one float32 log-sum a head.
    numbers = 4 * shape["hidden"] + 2 * queries + 2 * key_value_width(shape)
    return width * (numbers + 4 * shape["intermediate"]) + 4 * shape["heads"]


def _activations(shape: Architecture, stage: dict[str, Any]) -> float:
    tokens = stage["micro_batch_sequences"] * stage["context"]
    width = 4 if stage["precision"] == "fp32" else 2
    block = _block_activations(shape, width)
    if stage["gradient_checkpointing"]:  # each block's input, and one block whole at a time
        return tokens * (shape["layers"] * shape["hidden"] * width + block)
    return tokens * shape["layers"] * block


def _logits(shape: Architecture, stage: dict[str, Any]) -> float:
    """Logits as computed, their float32 copy for the loss, and its gradient."""
    tokens = stage["micro_batch_sequences"] * stage["context"]
    computed = 4 if stage["precision"] == "fp32" else 2
    return tokens * shape["vocabulary"] * (computed + 4 + 4)


def rank_memory(shape: Architecture, stage: dict[str, Any]) -> dict[str, float]:
    """Bytes of device memory at a rank's peak: each part, and ``total``.

    ``stage``: ``pretrain`` or ``sft`` of a resolved recipe.
    """
    parallel = stage["parallel"]
    device, offload = parallel["device"], parallel.get("offload", "none")
    parts = _states(shape, stage)
    if offload in ("optimizer", "parameters"):
        parts["optimiser"] = 0.0
    if offload == "parameters":
        parts["weights"] = 0.0
    if parallel["zero_stage"] >= 3 and ranks_of(stage) > 1:
        block = sum(layer_parameters(shape).values())
        largest = max(BLOCKS_GATHERED * block, shape["vocabulary"] * shape["hidden"])
        parts["gathered"] = largest * (4 if stage["precision"] == "fp32" else 2)
    parts["activations"] = _activations(shape, stage)
    parts["logits"] = _logits(shape, stage)
    slack = FRAGMENTATION[device] * sum(parts.values())
    parts["runtime"] = RUNTIME[device] + slack
    return {**parts, "total": sum(parts.values())}


def host_memory(shape: Architecture, stage: dict[str, Any]) -> float:
    """Bytes of host memory of one node: a CPU rank's all, else runtime and what is offloaded."""
    parallel, each = stage["parallel"], stage["parallel"]["processes_per_node"]
    if parallel["device"] == "cpu":
        return each * rank_memory(shape, stage)["total"]
    states, offload = _states(shape, stage), parallel.get("offload", "none")
    held = states["optimiser"] if offload != "none" else 0.0
    held += states["weights"] if offload == "parameters" else 0.0
    # The finished model is gathered in 16 bits on one rank to be written.
    return each * (RUNTIME["cuda"] + held) + 2 * parameters(shape)["total"]
