"""Ranks as threads: the engine's side of saving and loading, without an engine.

State is divided as DeepSpeed does it: in ZeRO 1 and 2 all parameters in a row are cut in equal
parts, in ZeRO 3 each parameter is.
"""

import itertools
import threading

import torch
from lemur.training.stored import PARAMETERS, Slice

SHAPES = {
    "embed.weight": torch.Size([7, 5]),
    "norm.weight": torch.Size([3]),
    "layers.0.mlp.weight": torch.Size([4, 6]),
}
KINDS = (PARAMETERS, "exp_avg", "exp_avg_sq")


def tensors(seed: float, shapes=SHAPES) -> dict[tuple[str, str], torch.Tensor]:
    """The whole state, by kind and name."""
    draw = torch.Generator().manual_seed(int(seed))
    return {
        (kind, name): torch.randn(shape, generator=draw)
        for kind, (name, shape) in itertools.product(KINDS, shapes.items())
    }


def divided(shapes: dict[str, torch.Size], rank: int, world: int, stage: int) -> list[Slice]:
    """The slices that a rank holds."""
    found, before = [], 0
    part = -(-sum(shape.numel() for shape in shapes.values()) // world)
    for name, shape in shapes.items():
        size = shape.numel()
        if stage == 3:
            mine = -(-size // world)
            start, end = min(size, rank * mine), min(size, (rank + 1) * mine)
        else:
            start = min(size, max(0, rank * part - before))
            end = min(size, max(0, (rank + 1) * part - before))
        if start < end:
            found += [Slice(kind, name, start, end - start) for kind in KINDS]
        before += size
    return found


class Team:
    """What ``world`` ranks of ``stage`` share: each calls a collective, and all have the answers."""

    def __init__(self, world: int, stage: int = 2, shapes=SHAPES):
        self.barrier = threading.Barrier(world, timeout=20)
        self.said: dict[int, list[int]] = {}
        self.ranks = [Rank(self, rank, world, stage, shapes) for rank in range(world)]

    def run(self, work) -> list:
        """``work(rank)`` on every rank at once; their results, an exception where it raised one."""
        results = [None] * len(self.ranks)

        def guarded(rank) -> None:
            try:
                results[rank.rank] = work(rank)
            except BaseException as error:
                results[rank.rank] = error

        threads = [threading.Thread(target=guarded, args=[rank]) for rank in self.ranks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def fill(self, seed: float) -> None:
        """Give the ranks the state that ``seed`` makes, as after ``seed`` updates."""
        whole = tensors(seed, self.ranks[0].shapes)
        for rank in self.ranks:
            rank.updates = int(seed)
            rank.held = {
                part: whole[part.kind, part.name].flatten()[part.start :][: part.count].clone()
                for part in rank.slices()
            }


class Rank:
    """An engine as far as ``lemur.training.saving`` knows one."""

    device = torch.device("cpu")

    def __init__(self, team: Team, rank: int, world: int, stage: int, shapes):
        self.team, self.rank, self.world, self.stage = team, rank, world, stage
        self.shapes, self.updates = shapes, 0
        self.held: dict[Slice, torch.Tensor] = {}

    def slices(self) -> list[Slice]:
        return divided(self.shapes, self.rank, self.world, self.stage)

    def get(self, part: Slice) -> torch.Tensor:
        return self.held[part]

    def gather(self, numbers: list[int]) -> list[list[int]]:
        self.team.said[self.rank] = numbers
        self.team.barrier.wait()
        everything = [self.team.said[rank] for rank in range(self.world)]
        self.team.barrier.wait()
        return everything

    def total(self, value: int) -> int:
        return sum(number for (number,) in self.gather([int(value)]))
