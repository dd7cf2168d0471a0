"""Saving by several ranks: each writes its own part, from a copy on the host, while training goes on.

A save costs the training loop one copy from the device to (pinned) host memory. A thread then
writes and hashes the part; writing and hashing hold no lock of the interpreter. Once all ranks are
through, which they learn after a step, rank 0 writes the manifest and renames the folder: until
then there is no checkpoint, and after it a whole one.

Why not torch.distributed.checkpoint, which is measured beside it (reports/bench/checkpoints.md): its
metadata is a pickle, it hashes nothing, and it knows no slices of flattened tensors as ZeRO has them.
"""

import secrets
import shutil
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import torch

from lemur.core.errors import LostRank, UserError
from lemur.core.files import sha256_of
from lemur.core.log import logger
from lemur.models import tensor_file
from lemur.models.tensor_file import Entry
from lemur.training import checkpoint
from lemur.training.digests import from_numbers, numbers
from lemur.training.engines.base import ShardedEngine
from lemur.training.manifest import SHARDED, Manifest, read_manifest
from lemur.training.stored import RANK


class HostCopy:
    """This rank's part of the state on the host: one buffer, allocated once and filled anew."""

    def __init__(self, pinned: bool):
        self.pinned = pinned
        self.buffer = torch.empty(0)
        self.parts: dict[str, torch.Tensor] = {}

    def take(self, engine: ShardedEngine) -> None:
        """Copy what the engine holds now; when it returns, training may change it."""
        slices = engine.slices()
        total = sum(part.count for part in slices)
        if self.buffer.numel() != total:
            self.buffer = torch.empty(total, dtype=torch.float32, pin_memory=self.pinned)
        self.parts, at = {}, 0
        for part in slices:
            target = self.buffer[at : at + part.count]
            target.copy_(engine.get(part), non_blocking=True)
            self.parts[part.key] = target
            at += part.count
        if self.pinned:
            torch.cuda.synchronize()

    def write(self, path: Path) -> str:
        """Write the copy as a file and return its sha256."""
        described = {key: Entry(part.dtype, (len(part),)) for key, part in self.parts.items()}
        return tensor_file.write(path, described, self.parts.__getitem__)


@dataclass
class Pending:
    """A checkpoint that is being written."""

    step: int
    partial: Path
    began: float
    stalled: float
    updates: int
    sequences_seen: int
    written: "Future[str]"


class Saver:
    """One rank's part in the saving of checkpoints in ``folder``. All methods are collective.

    ``keep``, ``every`` and ``steps``: as ``checkpoint.prune`` takes them.
    """

    def __init__(
        self,
        engine: ShardedEngine,
        folder: Path,
        keep: int,
        every: float | None,
        steps: Collection[int] = (),
    ):
        self.engine, self.folder = engine, folder
        self.keep, self.every, self.steps = keep, every, steps
        self.host = HostCopy(engine.device.type == "cuda")
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self.pending: Pending | None = None
        self.pruned: Future[None] | None = None

    def save(self, step: int, metrics: Path | None, sequences_seen: int) -> None:
        """Begin to write the checkpoint after ``step`` updates; one under way is awaited first.

        ``metrics``: of rank 0, as it stands now.
        """
        began = time.monotonic()
        self.finish()
        # A number of its own: a rank of an earlier run that nobody could end, on another node, may
        # still write to the folder of the same step.
        mark = self.engine.total(secrets.randbits(31) if self.engine.rank == 0 else 0)
        partial = self.folder / f".step-{step}.{mark:08x}.partial"
        lines = metrics.read_bytes() if metrics is not None else None
        self.host.take(self.engine)
        written = self.pool.submit(self._write, partial, lines)
        stalled = time.monotonic() - began
        updates = self.engine.updates
        self.pending = Pending(step, partial, began, stalled, updates, sequences_seen, written)

    def _write(self, partial: Path, metrics: bytes | None) -> str:
        partial.mkdir(parents=True, exist_ok=True)
        if metrics is not None:
            (partial / "metrics.jsonl").write_bytes(metrics)
            checkpoint.sync(partial / "metrics.jsonl")
        path = partial / f"{RANK}{self.engine.rank:05d}.safetensors"
        try:
            return self.host.write(path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def poll(self) -> None:
        """After a step: make the checkpoint visible if every rank has written its part."""
        pending = self.pending
        if pending is None or self.engine.total(not pending.written.done()):
            return
        self.pending = None
        error = pending.written.exception()
        if self.engine.total(error is not None):
            if self.engine.rank == 0:
                shutil.rmtree(pending.partial, ignore_errors=True)
            if error is not None:
                raise error
            raise LostRank("another rank could not write its part of a checkpoint")
        digests = self.engine.gather(numbers(pending.written.result()))
        if self.engine.rank == 0:
            self._publish(pending, [from_numbers(sent) for sent in digests])

    def finish(self) -> None:
        """Wait until the checkpoint under way, if any, is visible, and older ones are removed."""
        if self.pending is not None:
            wait([self.pending.written])
            self.poll()
        if self.pruned is not None:
            self.pruned.result()
            self.pruned = None

    def _publish(self, pending: Pending, digests: list[str]) -> None:
        partial = pending.partial
        files = {f"{RANK}{rank:05d}.safetensors": digest for rank, digest in enumerate(digests)}
        files["metrics.jsonl"] = sha256_of(partial / "metrics.jsonl")
        manifest = Manifest(SHARDED, pending.step, pending.updates, files, pending.sequences_seen)
        checkpoint.reveal(partial, self.folder / f"step-{pending.step}", manifest)
        spent = time.monotonic() - pending.began
        logger.info(
            f"checkpoint of step {pending.step}: training stood still for {pending.stalled:.2f} s, "
            f"visible after {spent:.1f} s"
        )
        # Files of gigabytes take their time to remove, and nobody waits for that.
        self.pruned = self.pool.submit(
            checkpoint.prune, self.folder, self.keep, self.every, self.steps
        )


def find(engine: ShardedEngine, folder: Path) -> tuple[int, Path | None]:
    """The newest checkpoint whose files are what it says: (its step, its path), or (0, None).

    Each rank verifies a share of its files. One that is damaged is named and passed over, and set
    aside as ``checkpoint.set_aside`` does. Collective.
    """
    candidates = checkpoint.numbered(folder) if engine.rank == 0 else []
    while True:
        step = engine.total(_next(candidates))
        path = folder / f"step-{step}" if step else None
        damaged = [] if path is None else engine.gather([_damaged(path, engine.rank, engine.world)])
        if any(at for (at,) in damaged):
            if engine.rank == 0:
                _name_damage(path, min(at for (at,) in damaged if at) - 1)
            continue
        if engine.rank == 0:
            checkpoint.set_aside(folder, step)
        return step, path


def _next(candidates: list[tuple[int, Path]]) -> int:
    """The step of the last of ``candidates`` whose manifest can be read, taken off; 0: there is none."""
    while candidates:
        step, path = candidates.pop()
        try:
            read_manifest(path)
            return step
        except (UserError, OSError) as error:
            checkpoint.warn(error)
    return 0


def _damaged(path: Path, rank: int, world: int) -> int:
    """Counted from 1, the first file of this rank's share that is not what the manifest says; 0: none."""
    try:
        manifest = read_manifest(path)
    except (UserError, OSError):
        return 1  # what rank 0 reads, this node does not
    for at, name in list(enumerate(sorted(manifest.files)))[rank::world]:
        try:
            checkpoint.verify_file(path, name, manifest)
        except (UserError, OSError):
            return at + 1
    return 0


def _name_damage(path: Path, at: int) -> None:
    manifest = read_manifest(path)
    name = sorted(manifest.files)[at]
    try:
        checkpoint.verify_file(path, name, manifest)
        raise UserError(f"{path}: {name} cannot be read by every rank")
    except (UserError, OSError) as error:
        checkpoint.warn(error)
