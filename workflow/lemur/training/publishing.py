"""The trained weights of several ranks, from the last checkpoint to a model folder, by all of them.

Each rank reads what its files need from the checkpoint, a tensor at a time: no host gathers the
model. What cannot be written tensor by tensor, one rank writes as a whole.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import torch
from transformers import PreTrainedModel

from lemur.core.errors import LostRank
from lemur.models.shards import Division
from lemur.training.digests import from_numbers, numbers
from lemur.training.engines.base import ShardedEngine
from lemur.training.settings import Spec
from lemur.training.stored import PARAMETERS, Stored


class Weights(Protocol):
    """The weights of a model to be published, of which one is in memory at a time."""

    shapes: Mapping[str, torch.Size]

    def tensor(self, name: str) -> torch.Tensor:
        """One of them, float32 on the CPU."""


class Trained:
    """What was trained, as it is in a checkpoint."""

    def __init__(self, stored: Stored, shapes: Mapping[str, torch.Size]):
        self.stored, self.shapes = stored, shapes

    def tensor(self, name: str) -> torch.Tensor:
        """A trained parameter, float32 on the CPU."""
        return self.stored.whole(PARAMETERS, name, self.shapes[name])


def weights_of(spec: Spec, trained: Trained, base: Path) -> Weights | None:
    """What every rank can read for itself of the model to be published; None where one rank has to
    write it as a whole, since adapters are merged into a base that is only read as a whole."""
    if spec.lora is None:
        return trained
    from lemur.training import lora  # peft, seconds to import, only where it is asked for

    try:
        return lora.Merging(base, spec, trained.tensor)
    except LookupError:
        return None


def by_one(weights: Weights | None, model: PreTrainedModel) -> bool:
    """Whether rank 0 has to write the model as a whole: transformers stores some families under
    other names and shapes than those that are trained."""
    return weights is None or bool(getattr(model, "_weight_conversions", None))


def write_weights(
    engine: ShardedEngine, weights: Weights, target: Path, dtype: torch.dtype
) -> dict[str, str]:
    """Write the model's files into ``target``, which rank 0 has: sha256 by name. Collective."""
    engine.total(0)  # rank 0 comes here once the folder is there
    division = Division(weights.shapes, dtype)
    mine, error = {}, None
    try:
        for file in division.files[engine.rank :: engine.world]:
            mine[file] = division.write(target, file, lambda name: weights.tensor(name).to(dtype))
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
