"""What the loop asks of an engine."""

from dataclasses import dataclass, field
from typing import Protocol

import torch

from lemur.training.batches import Batch
from lemur.training.stored import Slice, Stored


@dataclass
class State:
    """All that one rank's run has learned, by parameter name: float32 on the CPU, whole.

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

    def state(self) -> State:
        """The whole state; only where there is one rank."""

    def load(self, stored: Stored) -> None:
        """Take over a checkpoint, of which each rank reads what it needs. Collective."""

    def close(self) -> None:
        """Leave the other ranks. Collective."""


class ShardedEngine(Engine, Protocol):
    """One of several ranks, each of which holds slices of the state. ``shapes``: of whole parameters."""

    updates: int
    shapes: dict[str, torch.Size]

    def slices(self) -> list[Slice]:
        """What this rank holds; the ranks' slices together are everything, once."""

    def get(self, part: Slice) -> torch.Tensor:
        """The numbers of one of ``slices``: 1-D, float32, wherever the engine has them."""

    def gather(self, numbers: list[int]) -> list[list[int]]:
        """Every rank's numbers, equally many, by rank. Collective."""
