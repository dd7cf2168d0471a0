"""How long training stands still for its checkpoints.

One rank writes and hashes all before it goes on. Of several each copies its part to host memory and
goes on while that is written (lemur.training.saving); it waits only where the part before is not on the
disk yet. Rates are a rank's or a node's; where nothing measured them here they are assumed.
"""

from dataclasses import dataclass

from lemur.cost.flops import device_hours, training_flops
from lemur.cost.memory import trained_parameters
from lemur.cost.recipe import Recipe

BYTES = 12  # a trained parameter: its float32 and Adam's two moments
# GB/s from a device to host memory, of each rank; assumed: on a GPU of pinned memory behind PCIe 4.0
# x16, whose limit is 32; on a CPU of one that is not overloaded (reports/bench/checkpoints.md is of
# one with eighteen times its load, and a tenth of this).
COPY_RATE = {"cpu": 1.0, "cuda": 20.0}
# GB/s that a node writes to the file system that checkpoints lie on; assumed.
DISK_RATE = 2.0
# GB/s of sha256 on one core; measured on two cores without instructions for it, under load.
HASH_RATE = 0.12


@dataclass(frozen=True)
class Stall:
    """``seconds`` that one checkpoint stops training for, ``share`` of training time that this is,
    ``interval`` seconds of training between two, and ``written``: seconds until one is on the disk.
    """

    seconds: float
    share: float
    interval: float
    written: float


def checkpoint_stall(recipe: Recipe, stage: str, tokens: int) -> Stall:
    """The stall of ``stage`` (pretrain or sft) of a resolved recipe that trains on ``tokens``."""
    shape, part, price = recipe.base.architecture, recipe.stage(stage), recipe.cost
    flops = training_flops(shape, tokens, part.context)["total"]
    ranks, parallel = part.parallel.ranks, part.parallel
    hours = device_hours(flops, price.device_tflops, price.utilisation) / ranks
    steps = max(1, -(-tokens // part.global_batch_tokens))
    interval = 3600 * hours / steps * min(part.checkpoint.every_steps, steps)
    mine = BYTES * trained_parameters(shape, part) / ranks / 1e9
    disk, hashed = mine * parallel.processes_per_node / DISK_RATE, mine / HASH_RATE
    if ranks == 1:
        seconds = written = disk + hashed
    else:
        written = max(disk, hashed)
        seconds = mine / COPY_RATE[parallel.device] + max(0.0, written - interval)
    return Stall(seconds, seconds / (interval + seconds), interval, written)
