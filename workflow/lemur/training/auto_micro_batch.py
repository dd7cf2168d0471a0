"""``micro_batch_sequences: auto`` where no recipe was resolved: from the model's own config.json."""

from pathlib import Path
from typing import Any

import psutil
import torch

from lemur.config.engine import engine_for
from lemur.core.contracts import part
from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.cost.architecture import Architecture
from lemur.cost.fit import largest_micro
from lemur.cost.recipe import Training


def architecture(config: dict[str, Any]) -> Architecture:
    """The shape that a Llama-like config.json says."""
    heads = config["num_attention_heads"]
    return Architecture(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=heads,
        kv_heads=config.get("num_key_value_heads") or heads,
        head_dim=config.get("head_dim"),
        intermediate=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        tied_embeddings=config.get("tie_word_embeddings", False),
    )


def resolved(values: dict[str, Any], model: Path) -> dict[str, Any]:
    """``values`` with a number in place of ``auto``, for the memory of this machine's device."""
    if not isinstance(values, dict) or values.get("micro_batch_sequences") != "auto":
        return values
    if not (model / "config.json").is_file():
        return {**values, "micro_batch_sequences": 1}  # said better where the model is loaded
    stage = values.get("stage", "spec")
    try:
        shape, parallel = architecture(read_json(model / "config.json")), values["parallel"]
        if parallel["device"] == "cuda" and torch.cuda.is_available():
            room = float(torch.cuda.mem_get_info()[1])
        else:
            room = psutil.virtual_memory().available / parallel["processes_per_node"]
        ranks = parallel["nodes"] * parallel["processes_per_node"]
        engine = engine_for(values["engine"], parallel["device"], ranks)
        tried = {**values, "engine": engine, "micro_batch_sequences": 1}
        count = largest_micro(shape, part(Training, tried, stage), room)
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{stage}.micro_batch_sequences: auto cannot be worked out ({error} is missing or wrong): "
            "give a number"
        ) from None
    return {**values, "micro_batch_sequences": count}
