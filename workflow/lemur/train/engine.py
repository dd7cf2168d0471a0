"""What the loop asks of an engine."""

from dataclasses import dataclass, field
from typing import Protocol

import torch

from lemur.train.batches import Batch


@dataclass
class State:
    """All that a run has learned, by parameter name: float32 on the CPU, whole, on rank 0.

    Engine, world size and sharding leave no trace in it, so each may change at a restart.
    ``moments``: AdamW's running means (``exp_avg``, ``exp_avg_sq``) by kind and parameter name.
    """

    updates: int
    parameters: dict[str, torch.Tensor] = field(default_factory=dict)
    moments: dict[str, dict[str, torch.Tensor]] = field(default_factory=dict)


class NotFinite(ArithmeticError):
    """The loss or the gradient of a step is infinite or not a number; nothing was updated."""


class Engine(Protocol):
    """One rank of a run. Methods marked collective are called by all ranks in the same order."""

    name: str
    rank: int
    world: int
    device: torch.device

    def train_step(self, batches: list[Batch], targets: int, rate: float) -> tuple[float, float]:
        """One update from this rank's micro-batches, at learning rate ``rate``. Collective.

        ``targets`` is the number of labels over all ranks. Returns the summed loss (nats, all
        ranks) and the norm of the mean loss's gradient before clipping. Raises NotFinite.
        """

    def total(self, value: int) -> int:
        """Sum over ranks. Collective."""

    def state(self) -> State | None:
        """The state on rank 0, None elsewhere. Collective."""

    def load_state(self, state: State | None) -> None:
        """Take over a state given on rank 0. Collective."""

    def close(self) -> None:
        """Leave the other ranks. Collective."""
