"""config/hub.lock.json: files, sizes and hashes of each hub source at its revision.

Written by ``scripts/1_corpus/resolve.py``. With it a download is checked against what was written
down, and a revision that the hub no longer lists can still be told from a damaged one.
"""

import fnmatch
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.core.provenance import ROOT

PATH = ROOT / "config" / "hub.lock.json"
Lock = dict[str, dict[str, Any]]


def read(path: Path) -> Lock:
    """{``kind/name``: entry}; empty where nothing was resolved yet. ``UserError`` for damage."""
    if not path.exists():
        return {}
    value = read_json(path)
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise UserError(f"{path}: not what resolve.py writes: remove it and resolve again")
    return value


def write(path: Path, lock: Lock) -> None:
    """Whole or not at all, sorted by name."""
    write_json(path, lock)


def files(source: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The listed files that ``source["files"]`` selects at its revision, None where none is locked."""
    for entry in read(PATH).values():
        same = ("hub", "repo_type", "revision")
        if all(entry.get(key) == source.get(key) for key in same):
            globs = source.get("files") or ["*"]
            if sorted(entry["globs"]) == sorted(globs):
                return [
                    file
                    for file in entry["files"]
                    if any(fnmatch.fnmatchcase(file["path"], glob) for glob in globs)
                ]
    return None
