"""Peak memory of one rank in training, by part, in bytes.

Weights, gradients and optimiser: ZeRO (Rajbhandari et al. 2020, section 3 and figure 1).
Activations: the counting of Korthikanti et al. 2022 (section 4.1), done for a Llama block: no
dropout, RMSNorm, a gated feed-forward, and attention that never stores its scores.
"""

from lemur.cost.architecture import Architecture, layer_parameters, parameters
from lemur.cost.recipe import Training

# DeepSpeed gathers one block while the next is on its way (stage3 prefetch).
BLOCKS_GATHERED = 2
# Interpreter and libraries before there is a model, and kernels' workspace and communication
# buffers. On a CPU measured (352 MB held before; tests/unit/training/test_memory.py); on a GPU assumed.
LIBRARIES = {"torch": 350_000_000, "deepspeed": 700_000_000}
WORKSPACE = {"cpu": 50_000_000, "cuda": 2_500_000_000}
# Activations' share on top on a CPU: the passes' temporaries and the holes that the C allocator
# leaves. Fitted to SmolLM2-135M, 2 x 512 tokens; live tensors are counted within a tenth elsewhere too
# (tests/unit/training/test_live_memory.py), holes within a fifth of the total.
HOLES = {"bf16": 0.68, "fp32": 0.31}
CHUNK = 1 << 26  # logits held at a time: lemur.training.loss
# The allocator's slack on a GPU, as a share of everything else; assumed.
FRAGMENTATION = {"cpu": 0.0, "cuda": 0.05}


def trained_parameters(shape: Architecture, stage: Training) -> int:
    """All parameters, or those of LoRA adapters on every linear layer (at most, where it has fewer)."""
    if not stage.lora:
        return parameters(shape)["total"]
    sides = 2 * (shape.hidden + shape.queries) + 2 * (shape.hidden + shape.keys)
    sides += 3 * (shape.hidden + shape.intermediate)
    return shape.layers * stage.lora.rank * sides


def _states(shape: Architecture, stage: Training) -> dict[str, float]:
    """Bytes of weights, gradients and optimiser that a rank holds, wherever it holds them."""
    count, trained = parameters(shape)["total"], trained_parameters(shape, stage)
    frozen = count if stage.lora else 0
    if stage.precision == "fp32":
        masters, gradients, optimiser = 0, 4, 8
    elif stage.engine == "torch":  # float32 weights with a bfloat16 copy of each
        masters, gradients, optimiser = 4, 4, 8
    else:  # ZeRO: 2 + 2 + K bytes, K = 12 for Adam (float32 weights and two moments)
        masters, gradients, optimiser = 0, 2, 12
    zero, ranks = stage.parallel.zero_stage, stage.parallel.ranks
    return {
        "weights": (stage.width * (frozen + trained) + masters * trained)
        / (ranks if zero >= 3 else 1),
        "gradients": gradients * trained / (ranks if zero >= 2 else 1),
        "optimiser": optimiser * trained / (ranks if zero >= 1 else 1),
    }


def _block_activations(shape: Architecture, width: int) -> int:
    """Bytes a token that one block keeps for the backward pass, ``width`` bytes a number."""
    # A norm keeps its input and its rsqrt's product in float32 (one of them where that is a copy),
    # its output and what its weight multiplied. Attention: queries, its output twice, keys and
    # values twice (projected and turned), one float32 log-sum a head. Feed-forward: the gate, its
    # activation, the up-projection and their product.
    norms = 2 * shape.hidden * (12 if width == 4 else 8)
    attention = width * (3 * shape.queries + 2 * shape.keys) + 4 * shape.heads
    return norms + attention + 4 * width * shape.intermediate


def _activations(shape: Architecture, stage: Training) -> float:
    tokens = stage.micro_batch_sequences * stage.context
    block = _block_activations(shape, stage.width)
    if not stage.on_gpus:
        block = block * (1 + HOLES[stage.precision])
    if stage.gradient_checkpointing:  # each block's input, and one block whole at a time
        return tokens * (shape.layers * shape.hidden * stage.width + block)
    return tokens * shape.layers * block


def _logits(shape: Architecture, stage: Training) -> float:
    """One chunk of logits (lemur.training.loss), and the output layer's gradient on its way."""
    tokens = stage.micro_batch_sequences * stage.context
    width = stage.width
    held = min(tokens * shape.vocabulary, max(CHUNK, shape.vocabulary))
    # On a GPU the whole chunk's softmax is in float32, with one temporary; on a CPU a small block's.
    chunk = held * (width + (8 if stage.on_gpus else 0))
    table = shape.vocabulary * shape.hidden * width
    # As made, as scaled, and, where weights are kept in 16 bits, as summed with the embedding's.
    copies = 2 if stage.precision == "fp32" else 3
    summed = 4 * shape.vocabulary * shape.hidden if held < tokens * shape.vocabulary else 0
    return chunk + copies * table + summed


def runtime(stage: Training) -> float:
    """Bytes that do not depend on the model."""
    return LIBRARIES[stage.engine] + WORKSPACE[stage.parallel.device]


def rank_memory(shape: Architecture, stage: Training) -> dict[str, float]:
    """Bytes of device memory at a rank's peak: each part, and ``total``."""
    offload = stage.parallel.offload
    parts = _states(shape, stage)
    if offload in ("optimizer", "parameters"):
        parts["optimiser"] = 0.0
    if offload == "parameters":
        parts["weights"] = 0.0
    if stage.parallel.zero_stage >= 3 and stage.parallel.ranks > 1:
        block = sum(layer_parameters(shape).values())
        largest = max(BLOCKS_GATHERED * block, shape.vocabulary * shape.hidden)
        parts["gathered"] = largest * stage.width
    parts["activations"] = _activations(shape, stage)
    parts["logits"] = _logits(shape, stage)
    slack = FRAGMENTATION[stage.parallel.device] * sum(parts.values())
    parts["runtime"] = runtime(stage) + slack
    return {**parts, "total": sum(parts.values())}


def host_memory(shape: Architecture, stage: Training) -> float:
    """Bytes of host memory of one node: a CPU rank's all, else runtime and what is offloaded."""
    parallel, each = stage.parallel, stage.parallel.processes_per_node
    # Each rank copies its part of float32 weights and both moments to write them (lemur.training.saving).
    # Before, rank 0 has read the weights, and each rank has unless they are sharded as they are read,
    # in ZeRO 3 only.
    whole = 12 * trained_parameters(shape, stage) if stage.engine == "deepspeed" else 0
    copied = whole * each / parallel.ranks
    if not stage.on_gpus:
        return each * rank_memory(shape, stage)["total"] + copied
    states, offload = _states(shape, stage), parallel.offload
    held = states["optimiser"] if offload != "none" else 0.0
    held += states["weights"] if offload == "parameters" else 0.0
    readers = 1 if parallel.zero_stage >= 3 else each
    loaded = 4 * readers * parameters(shape)["total"]
    return each * (runtime(stage) + held) + max(loaded, copied)
