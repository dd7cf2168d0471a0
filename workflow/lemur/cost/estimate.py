"""The cost of a resolved recipe as data."""

import dataclasses
from fractions import Fraction
from typing import Any

from lemur.cost.agents import agents
from lemur.cost.architecture import parameters
from lemur.cost.checkpoints import checkpoint_stall
from lemur.cost.disk import checkpoint_bytes, disk, unresolved, unsized
from lemur.cost.fit import STAGES, fits, misfits
from lemur.cost.flops import device_hours, training_flops
from lemur.cost.memory import host_memory, rank_memory, ranks_of

# Where a recipe does not say: nothing is tokenized yet when the plan is made.
TOKENS_PER_EXAMPLE = 600
# Asked for over predicted: a job over its request is killed, one under it only waits. On a CPU the C
# allocator keeps up to a fifth more or less than predicted (tests/unit/training/test_memory.py).
HOST_MARGIN = {"cpu": 1.25, "cuda": 1.1}
# Asked for at least: reading and writing a small model takes more than training it.
LEAST_HOST_MB = 1_100


def tokens_per_example(recipe: dict[str, Any]) -> int:
    """Mean tokens of a fine-tuning conversation, as the recipe assumes them."""
    given = recipe["cost"].get("tokens_per_example", TOKENS_PER_EXAMPLE)
    return min(given, recipe["sft"]["context"])


def sft_tokens(recipe: dict[str, Any]) -> int:
    """Tokens that fine-tuning sees, estimated from the number of examples."""
    part = recipe["sft"]
    examples = min(part["max_examples"], sum(item["examples"] for item in part["sources"]))
    return round(examples * tokens_per_example(recipe) * part["epochs"])


def cost(recipe: dict[str, Any]) -> dict[str, Any]:
    """Everything that the plan knows of a resolved recipe, as JSON data.

    Units: tokens and parameters are counts, memory and disk GB (10^9 bytes), hours of one device.
    """
    tokens = {"pretrain": recipe["pretrain"]["tokens"], "sft": sft_tokens(recipe)}
    mixture, ratio = recipe["mixture"], recipe["mixture"]["code_to_text"]
    share = (
        float(Fraction(str(mixture["code_share"])))
        if "code_share" in mixture
        else ratio / (ratio + 1)
    )
    code = round(tokens["pretrain"] * share)
    space = disk(recipe)
    return {
        "recipe": recipe["name"],
        "base": recipe["base"]["name"],
        "parameters": parameters(recipe["base"]["architecture"]),
        "mixture": {"code": code, "text": tokens["pretrain"] - code, "code_share": share},
        "stages": {stage: _stage(recipe, stage, tokens[stage]) for stage in STAGES},
        "checkpoint_gb": checkpoint_bytes(recipe) / 1e9,
        "disk_gb": {name: size / 1e9 for name, size in space.items()},
        "agents": agents(recipe),
        "unsized": unsized(recipe),
        "unresolved": unresolved(recipe),
        "misfits": misfits(recipe),
    }


def _stage(recipe: dict[str, Any], stage: str, tokens: int) -> dict[str, Any]:
    shape, part, price = recipe["base"]["architecture"], recipe[stage], recipe["cost"]
    flops = training_flops(shape, tokens, part["context"])
    hours = device_hours(flops["total"], price["device_tflops"], price["utilisation"])
    memory = rank_memory(shape, part)
    return {
        "tokens": tokens,
        "steps": -(-tokens // part["global_batch_tokens"]),
        "ranks": ranks_of(part),
        "flops": flops,
        "device_hours": hours,
        "days": hours / ranks_of(part) / 24,
        "memory_gb": {name: size / 1e9 for name, size in memory.items()},
        "host_memory_gb": host_memory(shape, part) / 1e9,
        "checkpoint": dataclasses.asdict(checkpoint_stall(recipe, stage, tokens)),
        "fits": fits(recipe, stage),
    }


def host_memory_mb(recipe: dict[str, Any], stage: str) -> int:
    """Host memory to ask of one node for a training job, MB; ``stage``: pretrain or sft."""
    part = recipe[stage]
    needed = host_memory(recipe["base"]["architecture"], part)
    return max(LEAST_HOST_MB, round(HOST_MARGIN[part["parallel"]["device"]] * needed / 1e6))
