"""Which packed sequences a step trains on, and as which tensors: pure functions of the step."""

from dataclasses import dataclass

import numpy as np
import torch

from lemur.core.errors import UserError
from lemur.tokenization.packed import PackedDataset, batch
from lemur.training.settings import Spec


@dataclass(frozen=True)
class Batch:
    """Tensors [sequences, context]: ids, labels (already shifted, -100 where nothing is asked),
    segment ids (-1 in padding), positions (restarting at each document); all int64.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    segment_ids: torch.Tensor
    position_ids: torch.Tensor

    @property
    def targets(self) -> int:
        """Positions that the loss counts."""
        return int((self.labels != -100).sum())

    def to(self, device: torch.device) -> "Batch":
        if device.type == "cpu":
            return self
        moved = (
            tensor.pin_memory().to(device, non_blocking=True)
            for tensor in (self.input_ids, self.labels, self.segment_ids, self.position_ids)
        )
        return Batch(*moved)


def read(data: PackedDataset, numbers: np.ndarray) -> Batch:
    """The sequences ``numbers``, in this order."""
    items = [data[int(number)] for number in numbers]
    names = ("input_ids", "labels", "segment_ids", "position_ids")
    stacked = (np.stack([item[name] for item in items]).astype(np.int64) for name in names)
    return Batch(*(torch.from_numpy(array) for array in stacked))


def step_batches(data: PackedDataset, spec: Spec, step: int, rank: int) -> list[Batch]:
    """Micro-batches of ``rank`` at ``step``, in the order in which they are accumulated.

    The step's sequences do not depend on the number of ranks: they are dealt in rows of
    micro-batches, one column a rank, so that any world size sees the same global batch.
    """
    chosen = batch(len(data), spec.sequences, spec.seed, step)
    dealt = chosen.reshape(-1, spec.world, spec.micro)
    return [read(data, row[rank]) for row in dealt]


def step_count(spec: Spec, sequences: int) -> int:
    """Optimiser steps of the stage, given the packed sequences there are."""
    if sequences == 0:
        raise UserError(
            f"{spec.key('context')}: the packed data hold no sequence of {spec.context}"
        )
    if spec.tokens is not None:
        return spec.tokens // spec.global_batch_tokens
    # Rounded up: a small chat set must be seen whole, also when it does not fill its last step.
    return max(1, -(-int(sequences * spec.epochs) // spec.sequences))
