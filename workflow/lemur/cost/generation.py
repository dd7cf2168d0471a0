"""How long a model answers and how many devices hold it, before anything is asked."""

from typing import Any

from lemur.cost.architecture import Architecture, parameters

# Decoding reaches a hundredth of a device's peak (assumed).
DECODING = 0.01


def generation_seconds(
    recipe: dict[str, Any], shape: Architecture, tokens: float | None = None
) -> float:
    """Seconds in which a model of that ``shape`` answers all benchmarks to the answers' limits, or
    generates ``tokens``: two FLOPs a parameter and token."""
    if tokens is None:
        tokens = sum(
            (item.get("limit") or item.get("problems") or 1000) * item["decoding"]["max_new_tokens"]
            for item in recipe["evaluate"]["benchmarks"]
            if "decoding" in item
        )
    flops = 2 * parameters(shape)["total"] * tokens
    return flops / (recipe["cost"]["device_tflops"] * 1e12 * DECODING)


def generation_devices(recipe: dict[str, Any], shape: Architecture, loaded: int = 1) -> int:
    """GPUs that hold the weights of so many ``loaded`` models, and keys and values beside them."""
    width = 4 if recipe["evaluate"]["precision"] == "fp32" else 2
    weights = loaded * width * parameters(shape)["total"]
    return -(-round(1.3 * weights) // round(recipe["cost"]["device_memory_gb"] * 1e9))
