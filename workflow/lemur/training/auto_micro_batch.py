"""``micro_batch_sequences: auto`` where no recipe was resolved: from the model's own config.json."""

from pathlib import Path

import psutil
import torch

from lemur.config.engine import engine_for
from lemur.config.model_shape import read_shape
from lemur.config.values import Values
from lemur.core.contracts import part
from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.cost.architecture import Architecture
from lemur.cost.fit import largest_micro
from lemur.cost.recipe import Training


def resolved(values: Values, model: Path) -> Values:
    """``values`` with a number in place of ``auto``, for the memory of this machine's device."""
    if not isinstance(values, dict) or values.get("micro_batch_sequences") != "auto":
        return values
    if not (model / "config.json").is_file():
        return {**values, "micro_batch_sequences": 1}  # said better where the model is loaded
    stage = values.get("stage", "spec")
    try:
        where = f"{stage}.micro_batch_sequences: auto: {model}"
        shape = Architecture.read(read_shape(read_json(model / "config.json"), where))
        parallel = values["parallel"]
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
