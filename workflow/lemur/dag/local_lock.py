"""local.lock.json: which files of this machine a recipe reads, with their hashes.

Written beside the recipe (or in config/) when a run begins. A file that differs from what stands
there is told in one line, and what is made of it is made again: the hash of a part's files is a
parameter of the job that reads them.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.config.values import Values
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json
from lemur.core.log import logger
from lemur.data import local_files
from lemur.data.manifest import Download

Lock = dict[str, Values]
SHOWN = 3  # names in a line


def local_entries(recipe: Values) -> Iterator[tuple[str, Values]]:
    """(kind/name, entry) of everything in a resolved recipe that is read from this machine."""
    trains = bool(recipe["evaluate"]["models"])
    listed = [(f"benchmarks/{x['name']}", x["data"]) for x in recipe["evaluate"]["benchmarks"]]
    if trains:
        listed += [(f"sources/{x['name']}", x) for x in recipe["corpus"]["sources"]]
        listed += [(f"sources/{x['name']}", x) for x in recipe["sft"]["sources"]]
        listed.append((f"models/{recipe['base']['name']}", recipe["base"]))
    yield from (pair for pair in listed if local_files.is_local(pair[1].get("from")))


def look(recipe: Values, lock_file: Path, *, is_main: bool = True) -> Lock:
    """The lock as it has to be for ``recipe``; other recipes' entries stay. Changes are told.

    A job on a node (``is_main=False``) takes the lock's word: the files may have changed since the
    run was planned. Raises ``UserError`` in one line for what cannot be read.
    """
    lock = read_lock(lock_file)
    for key, entry in local_entries(recipe):
        if is_main or key not in lock:
            lock[key] = _look(key, entry, lock.get(key))
    base = recipe["base"]
    if "locked" in base and lock.get(key := f"models/{base['name']}") != base["locked"]:
        lock[key] = base["locked"]
        logger.info(f"{key}: stands at {base['from']['revision']}")
    return lock


def with_local(recipe: Values, lock: Lock) -> Values:
    """``recipe`` whose local entries have ``size`` (bytes), ``listing`` (a hash for each part) and,
    for a corpus, ``format``."""
    recipe = copy.deepcopy(recipe)
    recipe["base"].pop("locked", None)
    corpus = {f"sources/{entry['name']}" for entry in recipe["corpus"]["sources"]}
    for key, entry in local_entries(recipe):
        listed = lock[key]["files"]
        files = [contracts.read(Download, file, f"{local_files.LOCK}: {key}") for file in listed]
        entry["size"] = max(1, sum(file.size or 0 for file in files))
        entry["listing"] = local_files.digests(files, entry.get("parts", 1))
        if key in corpus:
            entry.setdefault("format", lock[key]["format"])
    return recipe


def _look(key: str, entry: Values, before: Mapping[str, Any] | None) -> Values:
    listing = local_files.list_files(entry, key)
    files = contracts.plain(local_files.take_hashes(listing, key))
    now = {
        "path": entry["from"]["path"],
        "format": entry.get("format") or local_files.form_of(listing, key),
        "files": files,
    }
    change = _change(before["files"], files) if before and "files" in before else "first use"
    if change:
        what = f"{len(files):,} files, {listing.size / 1e6:,.2f} MB"
        tail = f"; {listing.described()}" if listing.left_out else ""
        logger.info(f"{key}: {entry['from']['path']}: {change}: {what}{tail}")
    return now


def _change(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> str:
    """``1 changed (a.txt), 2 new (b.txt, c.txt): read again``; empty where all is as it was."""
    old = {file["path"]: file["sha256"] for file in before}
    new = {file["path"]: file["sha256"] for file in now}
    found = []
    for word, paths in (
        ("changed", [path for path in new if path in old and new[path] != old[path]]),
        ("new", [path for path in new if path not in old]),
        ("gone", [path for path in old if path not in new]),
    ):
        if paths:
            names = ", ".join(paths[:SHOWN]) + (", ..." if len(paths) > SHOWN else "")
            found.append(f"{len(paths):,} {word} ({names})")
    return f"{', '.join(found)} since {local_files.LOCK}, read again" if found else ""


def read_lock(path: Path) -> Lock:
    """The lock, empty where there is none; ``UserError`` for one that is damaged."""
    if not path.exists():
        return {}
    value = read_json(path)
    good = isinstance(value, dict) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("files", [] if "asked" in entry else None), list)
        and all(isinstance(file, dict) and {"path", "sha256", "size"} <= set(file) for file in entry.get("files", ()))
        for entry in value.values()
    )  # fmt: skip
    if not good:
        raise UserError(f"{path}: not what a run writes there: remove it, hashes are taken again")
    return value


def write_lock(path: Path, lock: Lock) -> None:
    """Keep the lock where it differs from what stands there."""
    if lock != read_lock(path):
        write_json(path, lock)
