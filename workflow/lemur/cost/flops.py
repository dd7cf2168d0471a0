"""Floating-point operations of training.

Model FLOPs, as utilisation is defined (PaLM, Chowdhery et al. 2022, appendix B): recomputing
activations costs time but does not count.
"""

from lemur.cost.architecture import Architecture, parameters


def flops_a_token(parameters: int, layers: int, queries: int, context: int) -> int:
    """Model FLOPs of training on one token; ``queries``: heads x head width. See training_flops."""
    return 6 * parameters + 12 * layers * queries * context


def training_flops(shape: Architecture, tokens: int, context: int) -> dict[str, int]:
    """FLOPs of training on ``tokens`` in sequences of ``context``.

    ``parameters``: 6 N D, forward and backward (Kaplan et al. 2020, section 2.1), N being all
    parameters. ``attention``: 12 layers x heads x head width x context a token (PaLM, appendix B);
    an upper bound here, since a document does not attend to its neighbours in a packed sequence.
    """
    linear = 6 * parameters(shape)["total"] * tokens
    attention = 12 * shape.layers * shape.queries * context * tokens
    return {"parameters": linear, "attention": attention, "total": linear + attention}


def device_hours(flops: int, tflops: float, utilisation: float) -> float:
    """Hours of one device with peak ``tflops`` (TFLOP/s) of which ``utilisation`` is reached."""
    return flops / (tflops * 1e12 * utilisation) / 3600
