"""Bring one remote file here: resumed, retried, verified, and renamed only when it is right.

The bytes that have come so far live in ``<name>.<pin>.partial`` beside the final name. No rule
declares that file, so an interrupted job leaves it, and the same command goes on from it.
"""

import errno
import hashlib
import io
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

from lemur.core.errors import UserError
from lemur.core.progress import Progress
from lemur.download import offline
from lemur.download.failures import (
    BUSY,
    TRIES,
    TRIES_UNREACHABLE,
    is_unreachable,
    pause,
    reason,
    shown,
)
from lemur.download.rate_limit import Pace

# What a cut connection can cost: bytes of an unfinished chunk are lost.
CHUNK = 1 << 16


@dataclass(frozen=True)
class Pin:
    """What a file must be. ``sha256`` in hex; ``git_sha1`` is git's blob id, for hub files.

    ``size`` in bytes or None when it is not known before the download.
    """

    sha256: str | None = None
    size: int | None = None
    git_sha1: str | None = None

    @property
    def tag(self) -> str:
        """Eight characters that tell partial files of different pins apart."""
        return (self.sha256 or self.git_sha1 or "unpinned")[:8]


@dataclass(frozen=True)
class Remote:
    """Where a file is. ``headers`` may hold a token: they are sent and never shown."""

    url: str
    label: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    gated_hint: str = ""


class _Cut(Exception):
    """The connection ended early or the server asked to wait: worth another try."""

    def __init__(self, reason: str, wait: float | None = None, unreachable: bool = False):
        super().__init__(reason)
        self.wait, self.unreachable = wait, unreachable


def verify(path: Path, pin: Pin, label: str) -> str:
    """sha256 of ``path``; a ``UserError`` that says pinned and found when it is not the pin's."""
    size = path.stat().st_size
    if pin.size is not None and size != pin.size:
        raise UserError(
            f"{label}: wrong size, {size:,} bytes where {pin.size:,} are pinned: refused"
        )
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if pin.git_sha1:
            file.seek(0)
            blob = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
            while data := file.read(CHUNK):
                blob.update(data)
            if blob.hexdigest() != pin.git_sha1:
                raise UserError(f"{label}: wrong content (git blob id differs): refused")
    if pin.sha256 and found != pin.sha256:
        raise UserError(
            f"{label}: wrong sha256, {found} where {pin.sha256} is pinned: refused "
            "(changed at its source, or a wrong pin under config/)"
        )
    return found


def _space(folder: Path, needed: int, label: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"{label}: the disk of {folder} is full: {needed:,} more bytes are needed and "
            f"{free:,} are free; free some space, the same command continues"
        )


def _wait_asked(response: requests.Response) -> float | None:
    # The hub counts requests over five minutes.
    try:
        return min(300.0, max(0.0, float(response.headers.get("Retry-After", ""))))
    except ValueError:
        return None  # absent, or a date: our own back-off will do


def _refuse(response: requests.Response, remote: Remote) -> None:
    """Turn every status that no retry can cure into one line."""
    status, where = response.status_code, shown(remote.url)
    if status in (401, 403):
        hint = remote.gated_hint or "check the credentials for this address"
        raise UserError(f"{remote.label}: {where} refuses access (HTTP {status}): {hint}")
    if status in (404, 410):
        raise UserError(
            f"{remote.label}: not found at {where} (HTTP {status}): check its pin under config/"
        )
    if status not in (200, 206, 416):
        raise UserError(f"{remote.label}: {where} answers HTTP {status}")


class Transfer:
    """Downloads files through one HTTP session; ``sleep`` is replaced in tests."""

    def __init__(
        self,
        session: requests.Session,
        sleep: Callable[[float], None] = time.sleep,
        pace: Pace | None = None,
    ):
        self.session, self.sleep, self.pace = session, sleep, pace or Pace(None)

    def fetch(self, remote: Remote, target: Path, pin: Pin, progress: Progress | None) -> str:
        """Make ``target`` be the pinned file; returns its sha256.

        A right file that is there already costs only its hash; a wrong one is fetched again.
        Raises ``UserError`` for: offline, no network, 401/403, 404, wrong size or sha256, no space.
        """
        if target.exists():
            try:
                found = verify(target, pin, remote.label)
                if progress:
                    progress.add(target.stat().st_size)
                return found
            except UserError:
                target.unlink()
        offline.refuse(remote.label)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f"{target.name}.{pin.tag}.partial")
        resumed = partial.exists()
        if resumed and progress:
            progress.add(partial.stat().st_size)
        self._complete(remote, partial, pin, progress)
        try:
            found = verify(partial, pin, remote.label)
        except UserError:
            partial.unlink()
            if not resumed:
                raise
            # What was there from before may be what is wrong: once more, from nothing.
            self._complete(remote, partial, pin, progress)
            try:
                found = verify(partial, pin, remote.label)
            except UserError:
                partial.unlink()
                raise
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
        return found

    def _complete(self, remote: Remote, partial: Path, pin: Pin, progress: Progress | None) -> None:
        failures = 0
        while True:
            before = partial.stat().st_size if partial.exists() else 0
            try:
                return self._once(remote, partial, pin, progress)
            except _Cut as cut:
                now = partial.stat().st_size if partial.exists() else 0
                failures = 1 if now > before else failures + 1
                if failures >= (TRIES_UNREACHABLE if cut.unreachable else TRIES):
                    where = urlsplit(remote.url).hostname
                    advice = "is there a network?" if cut.unreachable else "try again later"
                    raise UserError(
                        f"{remote.label}: {where}: {cut} ({failures} tries): {advice} What has "
                        "come is kept, the same command continues"
                    ) from None
                self.sleep(pause(failures) if cut.wait is None else cut.wait)

    def _once(self, remote: Remote, partial: Path, pin: Pin, progress: Progress | None) -> None:
        have = partial.stat().st_size if partial.exists() else 0
        if pin.size is not None and have >= pin.size:
            if have == pin.size:
                return
            partial.unlink()
            have = 0
        headers = {"Accept-Encoding": "identity", **remote.headers}
        if have:
            headers["Range"] = f"bytes={have}-"
        try:
            with self.session.get(remote.url, headers=headers, stream=True) as response:
                self._receive(response, remote, partial, pin, have, progress)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise _Cut(reason(error), unreachable=is_unreachable(error)) from None
        except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            raise _Cut("the connection was cut") from None
        except requests.RequestException as error:
            raise UserError(
                f"{remote.label}: {type(error).__name__} at {shown(remote.url)}"
            ) from None

    def _receive(
        self,
        response: requests.Response,
        remote: Remote,
        partial: Path,
        pin: Pin,
        have: int,
        progress: Progress | None,
    ) -> None:
        if response.status_code in BUSY:
            raise _Cut(f"HTTP {response.status_code}", wait=_wait_asked(response))
        _refuse(response, remote)
        if response.status_code == 416:
            partial.unlink(missing_ok=True)
            raise _Cut("the server holds less than was here already")
        start = f"bytes {have}-"
        if have and not response.headers.get("Content-Range", "").startswith(start):
            partial.unlink()  # a server without ranges sends the whole file again
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        if pin.size is not None and total is not None and total != pin.size:
            raise UserError(
                f"{remote.label}: wrong size, {shown(remote.url)} offers {total:,} bytes where "
                f"{pin.size:,} are pinned: refused"
            )
        expected = pin.size if pin.size is not None else total
        partial.parent.mkdir(parents=True, exist_ok=True)
        if expected is not None:
            _space(partial.parent, expected - have, remote.label)
        got = have
        with open(partial, "ab", buffering=0) as file:
            for chunk in response.iter_content(CHUNK):
                got += len(chunk)
                if expected is not None and got > expected:
                    file.truncate(0)
                    raise UserError(
                        f"{remote.label}: {shown(remote.url)} sends more than the "
                        f"{expected:,} bytes expected: refused"
                    )
                try:
                    _write_all(file, chunk)
                except OSError as error:
                    if error.errno in (errno.ENOSPC, errno.EDQUOT):
                        raise OSError(error.errno, error.strerror, str(partial)) from None
                    raise
                if progress:
                    progress.add(len(chunk))
                self.pace.came(len(chunk))
        if expected is not None and got < expected:
            raise _Cut(f"the connection was cut after {got:,} of {expected:,} bytes")


def _write_all(file: io.RawIOBase, data: bytes) -> None:
    """Unbuffered, so that what has come is on its way to the disk whenever the job is killed."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) or 0 :]
