"""checkpoint.json, the manifest of a checkpoint: what it consists of and how far its run was."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import read_json

META = "checkpoint.json"
FORMAT = 1  # written by one rank: whole tensors
SHARDED = 2  # written by several: a file of slices each


@dataclass(frozen=True)
class Manifest:
    """``checkpoint.json``: what a checkpoint consists of, and how far its run was."""

    format: int
    """1: one rank wrote whole tensors, a file a kind; 2: several ranks wrote a file of slices each."""
    step: int
    """Steps of the run, skipped ones among them: the folder is ``step-<step>``."""
    updates: int
    """Updates of the optimiser: steps less those that were skipped."""
    files: Mapping[str, str]
    """sha256 by name of every other file of the folder."""
    sequences_seen: int = 0
    """Packed sequences that were drawn up to this step, over all ranks."""


def read_manifest(path: Path) -> Manifest:
    """checkpoint.json of a checkpoint; UserError where it is not one's."""
    found = read_json(path / META)
    if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
        raise UserError(f"{path}: {META} is not a checkpoint's")
    if found.get("format") not in (FORMAT, SHARDED):
        raise UserError(f"{path}: format {found.get('format')}, expected {FORMAT} or {SHARDED}")
    manifest = contracts.read(Manifest, found, str(path / META))
    if path.name != f"step-{manifest.step}":
        raise UserError(f"{path}: was written as step-{manifest.step}")
    return manifest
