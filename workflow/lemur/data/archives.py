"""Members of a zip, wheel, tar or Debian archive, streamed: nothing is ever unpacked to disk.

An archive is an input from outside. It is refused, with one line, when a member's name or a link
leaves the archive's folder, when it holds a device, is encrypted, is damaged, or when it would
inflate to far more than its size (a "zip bomb"). A link that stays inside is reported, not read.
"""

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import posixpath
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lemur.core.errors import UserError
from lemur.data import deb

# Source code packs 4 to 10 times and a repetitive table perhaps 50; deflate can reach 1,032.
MAX_RATIO = 200
# Below this many bytes no ratio is suspicious: an empty file of a few KB packs very well.
ALWAYS_ALLOWED = 64 * 1024 * 1024
MAX_TOTAL = 64 * 1024**3
MAX_MEMBERS = 1_000_000

_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    NotImplementedError,
    struct.error,
    ValueError,
    OverflowError,
    RuntimeError,
    LookupError,
)
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_DRIVE = re.compile(r"^[A-Za-z]:")


@dataclass(frozen=True)
class Member:
    """One entry: ``path`` with ``/``, ``size`` in bytes, ``link`` if it is one, ``read`` its bytes.

    ``read`` works only until the next member is asked for.
    """

    path: str
    size: int
    link: bool
    read: Callable[[], bytes]


@contextlib.contextmanager
def _one_line(archive: str) -> Iterator[None]:
    """Damage, whichever of five libraries notices it, as one ``UserError``."""
    try:
        yield
    except (*_DAMAGED, OSError) as error:
        # bz2 reports bad data as an OSError without a number, and a wild offset is an invalid
        # argument to seek; any other number is the system's trouble, not the archive's.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise UserError(
            f"{archive}: truncated, damaged or of no known kind (zip, whl, tar, tar.gz, tar.bz2, "
            f"tar.xz, deb): {error or type(error).__name__}; remove it and fetch it again"
        ) from None


def _reader(archive: str, read: Callable[[], bytes]) -> Callable[[], bytes]:
    def guarded() -> bytes:
        with _one_line(archive):
            return read()

    return guarded


def safe_path(archive: str, name: str) -> str:
    """``name`` without ``.`` parts; a ``UserError`` when it is absolute, has ``..`` or is no name."""
    unified = name.replace("\\", "/")
    shown = repr(name[:120])
    if "\0" in unified:
        raise UserError(f"{archive}: refused, member {shown} has a NUL in its name")
    parts = [part for part in unified.split("/") if part not in ("", ".")]
    if unified.startswith("/") or (parts and _DRIVE.match(parts[0])):
        raise UserError(f"{archive}: refused, member {shown} has an absolute path")
    if ".." in parts:
        raise UserError(f"{archive}: refused, member {shown} leaves its folder with '..'")
    if not parts:
        raise UserError(f"{archive}: refused, member {shown} has no name")
    # A name that is not UTF-8 reaches us with surrogates, which no later file could hold.
    return "/".join(parts).encode("utf-8", "backslashreplace").decode("utf-8")


def _safe_link(archive: str, path: str, target: str, from_root: bool, rooted: bool = False) -> None:
    """``rooted``: the archive's folder is a system's root, as in a Debian package."""
    unified = target.replace("\\", "/")
    if rooted and unified.startswith("/"):
        unified, from_root = unified.lstrip("/") or ".", True
    base = "" if from_root else posixpath.dirname(path)
    end = posixpath.normpath(posixpath.join(base, unified))
    if unified.startswith("/") or _DRIVE.match(unified) or end == ".." or end.startswith("../"):
        raise UserError(
            f"{archive}: refused, link {path!r} -> {target[:120]!r} points out of its folder"
        )


class _Limited(io.RawIOBase):
    """A decompressor's output that stops, with a ``UserError``, where a bomb would go on."""

    def __init__(self, inner: IO[bytes], archive: str, limit: int):
        self.inner, self.archive, self.limit, self.count = inner, archive, limit, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.inner.read(size if size >= 0 else 1 << 20)
        self.count += len(data)
        if self.count > self.limit:
            raise _bomb(self.archive, self.count)
        return data


def _bomb(archive: str, size: int) -> UserError:
    return UserError(
        f"{archive}: refused, it inflates to more than {size:,} bytes, over {MAX_RATIO} times its "
        "size (a zip bomb?)"
    )


def _limit(path: Path) -> int:
    return min(MAX_TOTAL, max(ALWAYS_ALLOWED, MAX_RATIO * path.stat().st_size))


def _decompressor(file: IO[bytes]) -> IO[bytes]:
    head = file.read(6)
    file.seek(0)
    if head[:2] == b"\x1f\x8b":
        return gzip.open(file, "rb")
    if head[:3] == b"BZh":
        return bz2.open(file, "rb")
    if head == b"\xfd7zXZ\0":
        return lzma.open(file, "rb")
    if head[:4] == _ZSTANDARD:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")
    return file


def _tar(path: Path, archive: str, rooted: bool = False) -> Iterator[Member]:
    with deb.data(path) if rooted else open(path, "rb") as outer, _decompressor(outer) as inner:
        limited = _Limited(inner, archive, _limit(path))
        with tarfile.open(fileobj=limited, mode="r|", encoding="utf-8") as tar:
            for count, info in enumerate(tar):
                if count >= MAX_MEMBERS:
                    raise UserError(f"{archive}: refused, more than {MAX_MEMBERS:,} members")
                tar.members = []  # a stream needs no list, and a large archive must not grow one
                if info.isdir():
                    if info.name.strip("/."):
                        safe_path(archive, info.name)
                    continue
                name = safe_path(archive, info.name)
                if info.issym() or info.islnk():
                    _safe_link(archive, name, info.linkname, info.islnk(), rooted)
                    yield Member(name, 0, True, lambda: b"")
                elif info.isreg():
                    file = tar.extractfile(info)
                    assert file is not None
                    yield Member(name, info.size, False, _reader(archive, file.read))
                else:
                    raise UserError(f"{archive}: refused, {name!r} is a device or a pipe")
        # tarfile stops at the end mark; what follows carries the checksum of the whole.
        while limited.read(1 << 20):
            pass


def _zip(path: Path, archive: str) -> Iterator[Member]:
    with zipfile.ZipFile(path) as opened:
        entries = opened.infolist()
        if len(entries) > MAX_MEMBERS:
            raise UserError(f"{archive}: refused, more than {MAX_MEMBERS:,} members")
        # Declared sizes can be trusted: zipfile reads no more than that and checks the CRC.
        total = sum(entry.file_size for entry in entries)
        if total > _limit(path):
            raise _bomb(archive, total)
        for entry in entries:
            name = safe_path(archive, entry.orig_filename)
            mode = entry.external_attr >> 16
            if entry.is_dir():
                continue
            if entry.flag_bits & 0x1:
                raise UserError(f"{archive}: refused, {name!r} is encrypted")
            if stat.S_ISLNK(mode):
                if entry.file_size > 4096:
                    raise UserError(f"{archive}: refused, link {name!r} has an over-long target")
                target = opened.read(entry).decode("utf-8", "replace")
                _safe_link(archive, name, target, from_root=False)
                yield Member(name, 0, True, lambda: b"")
            elif stat.S_IFMT(mode) in (0, stat.S_IFREG):
                read = _reader(archive, lambda entry=entry: opened.read(entry))
                yield Member(name, entry.file_size, False, read)
            else:
                raise UserError(f"{archive}: refused, {name!r} is a device or a pipe")


def members(path: Path | str) -> Iterator[Member]:
    """Every file and link of an archive in its own order; folders are not shown.

    The kind is told by content, not by name. Raises ``UserError`` in one line for an archive that
    is missing, damaged, of no known kind, or refused.
    """
    path = Path(path)
    archive = path.name
    try:
        with _one_line(archive):
            if _starts_as_deb(path):
                yield from _tar(path, archive, rooted=True)
            elif _starts_as_tar(path) or not zipfile.is_zipfile(path):
                yield from _tar(path, archive)
            else:
                yield from _zip(path, archive)
    except FileNotFoundError:
        raise UserError(f"{path}: no such archive") from None


def _starts_as_deb(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(len(deb.MAGIC)) == deb.MAGIC


def _starts_as_tar(path: Path) -> bool:
    """Whether the file starts as a compressed stream or a tar does: a tar may hold a zip's end."""
    with open(path, "rb") as file:
        head = file.read(262)
    compressed = head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", _ZSTANDARD))
    return compressed or head[257:262] == b"ustar"
