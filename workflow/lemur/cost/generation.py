"""How long a model answers and how many devices hold it, before anything is asked."""

from lemur.cost.architecture import Architecture, parameters
from lemur.cost.recipe import Recipe

# Decoding reaches a hundredth of a device's peak (assumed).
DECODING = 0.01


def generation_seconds(recipe: Recipe, shape: Architecture, tokens: float | None = None) -> float:
    """Seconds in which a model of that ``shape`` answers all benchmarks to the answers' limits, or
    generates ``tokens``: two FLOPs a parameter and token."""
    if tokens is None:
        tokens = sum(
            (item.asked or 1000) * item.decoding.max_new_tokens
            for item in recipe.evaluate.benchmarks
            if item.decoding
        )
    flops = 2 * parameters(shape)["total"] * tokens
    return flops / (recipe.cost.device_tflops * 1e12 * DECODING)


def generation_devices(recipe: Recipe, shape: Architecture, loaded: int = 1) -> int:
    """GPUs that hold the weights of so many ``loaded`` models, and keys and values beside them."""
    weights = loaded * recipe.evaluate.width * parameters(shape)["total"]
    return -(-round(1.3 * weights) // round(recipe.cost.memory))
