"""The trained weights of several ranks, from the last checkpoint to a model folder, by all of them.

Each rank reads what its files need from the checkpoint, a tensor at a time: no host gathers the
model. What cannot be written tensor by tensor, one rank writes as a whole.
"""

from pathlib import Path

import torch
from transformers import PreTrainedModel

from lemur.core.errors import LostRank
from lemur.models.shards import Division
from lemur.training.digests import from_numbers, numbers
from lemur.training.engines.base import ShardedEngine
from lemur.training.settings import Spec
from lemur.training.stored import PARAMETERS, Stored


def by_one(spec: Spec, model: PreTrainedModel) -> bool:
    """Whether rank 0 has to write the model as a whole: adapters are merged into all weights, and
    transformers stores some families under other names and shapes than those that are trained."""
    return spec.lora is not None or bool(getattr(model, "_weight_conversions", None))


def whole(engine: ShardedEngine, stored: Stored) -> dict[str, torch.Tensor]:
    """All trained parameters, float32 on the CPU, by name."""
    return {name: stored.whole(PARAMETERS, name, shape) for name, shape in engine.shapes.items()}


def write_weights(
    engine: ShardedEngine, stored: Stored, target: Path, dtype: torch.dtype
) -> dict[str, str]:
    """Write the model's files into ``target``, which rank 0 has: sha256 by name. Collective."""
    engine.total(0)  # rank 0 comes here once the folder is there
    division = Division(engine.shapes, dtype)

    def tensor_of(name: str) -> torch.Tensor:
        return stored.whole(PARAMETERS, name, engine.shapes[name]).to(dtype)

    mine, error = {}, None
    try:
        for file in division.files[engine.rank :: engine.world]:
            mine[file] = division.write(target, file, tensor_of)
        if engine.rank == 0:
            division.write_index(target)
    except OSError as problem:
        error = problem
    if engine.total(error is not None):
        raise error or LostRank("another rank could not write its part of the model")
    shared = {}
    for at, file in enumerate(division.files):
        digests = engine.gather(numbers(mine.get(file, "0" * 64)))
        shared[file] = from_numbers(digests[at % engine.world])
    return shared
