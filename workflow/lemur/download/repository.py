"""Single files of a public repository at a pinned commit: from a mirror folder, else by URL."""

import os
import re
import shutil
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.files import replacing
from lemur.core.log import logger
from lemur.download.transfer import Pin, Remote, verify

_COMMIT = re.compile(r"^[0-9a-f]{7,64}$")


def files(source: dict, top: Pin, label: str) -> list[tuple[str, Remote, Pin]]:
    """(path, remote, pin) of each file of ``source``, sorted by path.

    ``source`` = {url, repository, commit, path} with the pin beside it, or with ``files``, a list
    of {path, sha256, size}. ``url`` may hold ``{repository}``, ``{commit}`` and ``{path}``.
    """
    wanted = source.get("files") or [
        {"path": source.get("path"), "sha256": top.sha256, "size": top.size}
    ]
    commit = str(source.get("commit", ""))
    if source.get("repository") and not _COMMIT.match(commit):
        raise UserError(f"{label}: from.commit is {commit!r}: a commit in hex digits is needed")
    found = []
    for file in sorted(wanted, key=lambda file: str(file.get("path"))):
        path = file.get("path") or source["url"].rsplit("/", 1)[-1]
        if not file.get("sha256"):
            raise UserError(f"{label}: {path} has no sha256: a file by URL needs one")
        fields = {"repository": source.get("repository", ""), "commit": commit, "path": path}
        try:
            url = source["url"].format(**fields)
        except (KeyError, IndexError, ValueError):
            raise UserError(
                f"{label}: from.url {source['url']!r}: allowed are {{repository}}, {{commit}} and "
                "{path}"
            ) from None
        pin = Pin(sha256=file["sha256"], size=file.get("size"))
        found.append((path, Remote(url, f"{label}: {path}"), pin))
    return found


def mirrors() -> list[Path]:
    """Folders of ``LEMUR_MIRROR`` (separated as PATH is), tried in order before the network."""
    return [Path(p) for p in os.environ.get("LEMUR_MIRROR", "").split(os.pathsep) if p]


def from_mirror(source: dict, path: str, target: Path, pin: Pin, label: str) -> bool:
    """Copy ``<mirror>/<owner>/<repo>/<commit>/<path>`` to ``target`` when a mirror has it right.

    A copy with another content than the pin is told on stderr and passed over.
    """
    if not source.get("repository"):
        return False
    for mirror in mirrors():
        copy = mirror / source["repository"] / str(source["commit"]) / path
        if not copy.is_file():
            continue
        try:
            verify(copy, pin, f"{label}: {path} in LEMUR_MIRROR")
        except UserError as error:
            logger.info(f"note: {error}; trying the next place")
            continue
        with replacing(target) as temporary:
            shutil.copyfile(copy, temporary)
        return True
    return False
