"""What a run needs of its nodes and its ranks of each other, tried before GPU-hours are spent."""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import write_json
from lemur.core.log import logger

# Numbers in the trial sum: large enough that it goes over the network like a gradient, 4 MB.
NUMBERS = 1 << 20


@dataclass(frozen=True)
class Preflight:
    """What is tried before a training stage."""

    stage: str
    """pretrain or sft."""
    device: str
    """cpu or cuda."""
    nodes: int
    processes_per_node: int
    disk_bytes: int | float
    """Bytes that the stage writes beside its result, checkpoints among them."""
    clock_seconds: int | float
    """How far the clocks of two nodes may be apart."""
    timeout_seconds: int | float
    """Seconds to meet in."""
    training: Mapping[str, object] | None = None
    """The stage's settings, whose kernels are compiled; null: none are."""


def run(values: Mapping[str, object], out: Path, model: Path | None = None) -> None:
    """Check ranks, all-reduce, clocks, free disk and kernels; rank 0 writes ``out``.

    ``values``: those of ``Preflight``; kernels are compiled for ``model``. Raises UserError.
    """
    spec = contracts.read(Preflight, values, "preflight")
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    expected = spec.nodes * spec.processes_per_node
    where = f"{spec.stage}: preflight"
    if world != expected:
        raise UserError(f"{where}: {world} ranks were started and the recipe has {expected}")
    cuda = spec.device == "cuda"
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if cuda and local >= torch.cuda.device_count():
        raise UserError(
            f"{where}: rank {rank} is the {local + 1}. of its node, on which "
            f"{torch.cuda.device_count()} GPUs are visible"
        )
    if cuda:
        torch.cuda.set_device(local)
    if world > 1:
        distributed.init_process_group(
            "nccl" if cuda else "gloo", timeout=timedelta(seconds=spec.timeout_seconds)
        )
    try:
        _meet(spec, out.parent, torch.device("cuda", local) if cuda else torch.device("cpu"))
        if spec.training:
            from lemur.training.kernel_warmup import (
                prebuild,  # transformers, only where it is asked for
            )

            said = prebuild(dict(spec.training), model)
            if rank == 0 and said:
                logger.info(f"{where}: {said}")
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
    if rank == 0:
        facts = ("stage", "device", "nodes", "processes_per_node", "disk_bytes")
        write_json(out, {name: getattr(spec, name) for name in facts})


def _meet(spec: Preflight, folder: Path, device: torch.device) -> None:
    """Sum, clocks and disk of all ranks, checked on each, so that none waits for one that left."""
    where = f"{spec.stage}: preflight"
    if not distributed.is_initialized():
        free = shutil.disk_usage(folder).free
        check(spec, [time.time()], [free])
        logger.info(f"{where}: 1 rank, {free / 1e9:,.0f} GB free")
        return
    rank, world = distributed.get_rank(), distributed.get_world_size()
    seconds = _all_reduce(rank, world, device, where)
    clocks, files, free = _gather(folder, world, device)
    check(spec, clocks, free, files)
    if rank == 0:
        spread = max(clocks) - min(clocks)
        logger.info(
            f"{where}: {world} ranks, all-reduce of {4 * NUMBERS / 1e6:.0f} MB in {seconds:.3f} s, "
            f"clocks within {spread:.1f} s, {min(free) / 1e9:,.0f} GB free"
        )


def _all_reduce(rank: int, world: int, device: torch.device, where: str) -> float:
    """Seconds of the second of two sums over all ranks; UserError where it is wrong."""
    for _ in range(2):
        numbers = torch.full((NUMBERS,), float(rank + 1), device=device)
        began = time.perf_counter()
        distributed.all_reduce(numbers)
        total = numbers[[0, -1]].tolist()
        seconds = time.perf_counter() - began
        if total != [world * (world + 1) / 2] * 2:
            raise UserError(f"{where}: all-reduce over {world} ranks gave {total}")
    return seconds


def _gather(folder: Path, world: int, device: torch.device) -> tuple[list[float], ...]:
    """By rank: its clock and a new file's time (seconds, right after a barrier), free bytes at ``folder``."""
    free = shutil.disk_usage(folder).free
    distributed.barrier()
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"now")
        file.flush()
        numbers = [time.time(), os.fstat(file.fileno()).st_mtime, free]
    mine = torch.tensor(numbers, dtype=torch.float64, device=device)
    shares = [torch.zeros_like(mine) for _ in range(world)]
    distributed.all_gather(shares, mine)
    clocks, files, room = zip(*(share.tolist() for share in shares), strict=True)
    return list(clocks), list(files), list(room)


def check(
    spec: Preflight, clocks: list[float], free: list[float], files: Sequence[float] = ()
) -> None:
    """UserError where clocks differ too far or the disk is too small; lists are by rank.

    ``files``: times that the file system gave; where a server gives them, they decide between two
    nodes, of which neither has a majority.
    """
    where = f"{spec.stage}: preflight"
    known = sorted([*clocks, *files])
    middle = known[len(known) // 2]
    worst = max(range(len(clocks)), key=lambda rank: abs(clocks[rank] - middle))
    off = clocks[worst] - middle
    if abs(off) > spec.clock_seconds:
        node = worst // spec.processes_per_node
        raise UserError(
            f"{where}: the clock of node {node} (rank {worst}) is {abs(off):,.0f} s "
            f"{'ahead' if off > 0 else 'behind'}: synchronise it, or Snakemake reruns what is done"
        )
    if min(free) < spec.disk_bytes:
        raise UserError(
            f"{where}: {min(free) / 1e9:,.1f} GB are free where checkpoints go and "
            f"{spec.disk_bytes / 1e9:,.1f} GB are needed: free some, or lower checkpoint.keep"
        )
