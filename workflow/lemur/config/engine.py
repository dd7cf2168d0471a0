"""Which training engine `auto` is."""


def engine_for(wanted: str, device: str, ranks: int) -> str:
    """``auto``: deepspeed on CUDA and for several ranks; else torch, which needs no compiler."""
    if wanted != "auto":
        return wanted
    return "deepspeed" if device == "cuda" or ranks > 1 else "torch"
