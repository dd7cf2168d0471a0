"""Checkpoints that are whole or not there: saved beside, flushed, renamed, verified when loaded.

``step-<n>/`` holds the parameters and moments (``lemur.training.stored``), ``metrics.jsonl`` up to that
step and ``checkpoint.json`` with the sha256 of each file. Whatever wrote them, any engine on any
number of ranks continues from them. The random state needs no file: what is drawn at a step is
seeded by (seed, step, rank). Here is what one rank does; ``lemur.training.saving`` is for several.
"""

import errno
import os
import shutil
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.core.log import logger
from lemur.training.engines.base import State
from lemur.training.manifest import FORMAT, META, Manifest, read_manifest


def sync(path: Path) -> None:
    """Have the disk take in a file, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flushed(path: Path) -> tuple[str, str]:
    """A file's name and sha256, once it is on the disk."""
    sync(path)
    return path.name, sha256_of(path)


def _save_tensors(tensors: dict, path: Path) -> None:
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    except SafetensorError as error:
        # The library wraps the system's error in text; the disk is full or it is our mistake.
        full = "os error 28" in str(error) or "No space" in str(error)
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from None
        raise


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of the checkpoints under their final names, oldest first."""
    found = []
    for path in folder.glob("step-*"):
        number = path.name.removeprefix("step-")
        if number.isdigit():
            found.append((int(number), path))
    return sorted(found)


def clear_partial(folder: Path) -> None:
    """Remove what a killed writer left; only the holder of the lock may call this."""
    for path in folder.glob(".step-*.partial"):
        shutil.rmtree(path, ignore_errors=True)


def set_aside(folder: Path, step: int) -> None:
    """Take the checkpoints after ``step`` out of the count: a run that continues there passes them.

    They did not verify, or it would continue from them. Counted as the newest, they would have every
    good one pruned in their stead. They stay as ``.step-<n>.damaged`` until one is saved again, for
    a disk that can be mended.
    """
    for number, path in numbered(folder):
        if number > step:
            kept = folder / f".{path.name}.damaged"
            shutil.rmtree(kept, ignore_errors=True)
            os.rename(path, kept)


def lasting(steps: list[int], every: float | None) -> set[int]:
    """Of checkpoints at ``steps`` (ascending): the first at or after each multiple of ``every``."""
    kept, reached = set(), 0
    for step in steps if every else ():
        if step // every > reached:
            kept.add(step)
            reached = step // every
    return kept


def prune(folder: Path, keep: int, every: float | None = None, steps: Collection[int] = ()) -> None:
    """Remove all but the newest ``keep`` checkpoints, those after ``steps`` and those that ``every``
    (in steps) keeps.

    Damaged ones that were set aside go too.
    """
    for path in folder.glob(".step-*.damaged"):
        shutil.rmtree(path, ignore_errors=True)
    found = numbered(folder)
    kept = lasting([step for step, _ in found], every) | set(steps)
    for step, path in found[: max(0, len(found) - keep)]:
        if step not in kept:
            # Renamed first: a reader or a killed pruner must never find half a checkpoint.
            doomed = folder / f".{path.name}.partial"
            os.rename(path, doomed)
            shutil.rmtree(doomed, ignore_errors=True)


def save(folder: Path, step: int, state: State, metrics: Path, sequences_seen: int) -> Path:
    """Write the checkpoint after ``step`` steps.

    On any error (a full disk too) the partial folder is removed and older ones are untouched.
    """
    final = folder / f"step-{step}"
    partial = folder / f".step-{step}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _save_tensors(state.parameters, partial / "parameters.safetensors")
        for kind, tensors in state.moments.items():
            _save_tensors(tensors, partial / f"{kind}.safetensors")
        shutil.copyfile(metrics, partial / "metrics.jsonl")
        # Together: one core hashes a file while the disk takes in another.
        with ThreadPoolExecutor() as pool:
            files = dict(pool.map(_flushed, sorted(partial.iterdir())))
        reveal(partial, final, Manifest(FORMAT, step, state.updates, files, sequences_seen))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def reveal(partial: Path, final: Path, manifest: Manifest) -> None:
    """Write the manifest of a folder whose files are on the disk, and rename it to its final name."""
    contracts.write_file(partial / META, manifest)
    sync(partial)
    shutil.rmtree(final, ignore_errors=True)
    os.rename(partial, final)
    sync(final.parent)


def verify_file(path: Path, name: str, manifest: Manifest) -> None:
    """UserError where a file of a checkpoint is not what its checkpoint.json says."""
    if not (path / name).is_file():
        raise UserError(f"{path}: {name} is missing")
    if sha256_of(path / name) != manifest.files[name]:
        raise UserError(f"{path}: {name} is damaged (its sha256 differs)")


def warn(error: Exception) -> None:
    """Say that a checkpoint is passed over."""
    logger.warning(f"warning: {error}; trying an older checkpoint")


def newest(folder: Path) -> tuple[int, Path, Manifest] | None:
    """The newest checkpoint that verifies, as (step, path, checkpoint.json); None without one.

    One that is damaged, or that the disk does not give back, is named on stderr and passed over.
    """
    for step, path in reversed(numbered(folder)):
        try:
            manifest = read_manifest(path)
            for name in manifest.files:
                verify_file(path, name, manifest)
            return step, path, manifest
        except (UserError, OSError) as error:
            warn(error)
    return None
