"""config/hub.lock.json: files, sizes and hashes of each hub source at its revision.

Written by ``scripts/1_corpus/resolve.py``. With it a download is checked against what was written
down, and a revision that the hub no longer lists can still be told from a damaged one.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.core import contracts
from lemur.core.contracts import optional
from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.core.provenance import ROOT

PATH = ROOT / "config" / "hub.lock.json"


@dataclass(frozen=True)
class HubFile:
    """One file at a revision: its hash is sha256, or of a file that is not in LFS git's own sha1."""

    path: str
    size: int
    """Bytes."""
    sha256: str | None = optional()
    git_sha1: str | None = optional()


@dataclass(frozen=True)
class Locked:
    """A hub source as it was looked up."""

    hub: str
    """owner/name."""
    repo_type: str
    """dataset or model."""
    revision: str
    """The commit that is pinned."""
    newest: str
    """The commit that the hub had then."""
    globs: tuple[str, ...]
    """Which files are taken."""
    bytes: int
    """Of all of them."""
    files: tuple[HubFile, ...]


Lock = dict[str, Locked]


def read(path: Path) -> Lock:
    """{``kind/name``: entry}; empty where nothing was resolved yet. ``UserError`` for damage."""
    if not path.exists():
        return {}
    value = read_json(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: not what resolve.py writes: remove it and resolve again")
    return {key: contracts.read(Locked, entry, f"{path}: {key}") for key, entry in value.items()}


def write(path: Path, lock: Lock) -> None:
    """Whole or not at all, sorted by name."""
    contracts.write_file(path, lock)


def files(source: Mapping[str, Any]) -> list[HubFile] | None:
    """The listed files that ``source["files"]`` selects at its revision, None where none is locked."""
    for entry in read(PATH).values():
        same = ("hub", "repo_type", "revision")
        if all(getattr(entry, key) == source.get(key) for key in same):
            globs = source.get("files") or ["*"]
            if sorted(entry.globs) == sorted(globs):
                return [
                    file
                    for file in entry.files
                    if any(fnmatch.fnmatchcase(file.path, glob) for glob in globs)
                ]
    return None
