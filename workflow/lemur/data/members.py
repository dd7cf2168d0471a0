"""The files inside what a download left behind, read without unpacking anything to disk."""

import fnmatch
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lemur.core.errors import UserError
from lemur.data import archives
from lemur.data.manifest import read_manifest

LARGEST = 1 << 30  # bytes of one member: more is a mistake or a decompression bomb


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _checked(path: Path, name: str, size: int) -> None:
    if size > LARGEST:
        raise UserError(f"{path}: '{name}' unpacks to {size} bytes, more than {LARGEST}")


def _is_archive(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)
    except (EOFError, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"{path}: a damaged archive ({error}); remove it and fetch again") from None


def members(path: Path, patterns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the members of an archive that match, sorted by name; or of a plain file.

    Wheels, zip and tar archives are read as the corpus' are; anything else is its own single
    member. Of members with one path (``a`` and ``./a`` are one) the last counts, which is the one
    that unpacking leaves; where that is a link, there is none. All that match are held in memory.
    """
    if not _is_archive(path):
        if _matches(path.name, patterns):
            _checked(path, path.name, path.stat().st_size)
            yield path.name, path.read_bytes()
        return
    found: dict[str, bytes] = {}
    for member in archives.members(path):
        if _matches(member.path, patterns):
            _checked(path, member.path, member.size)
            found.pop(member.path, None)
            if not member.link:
                found[member.path] = member.read()
    yield from sorted(found.items())


def manifest_members(manifest: Path, patterns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The same for every file that a download's ``manifest.json`` lists, in its order."""
    for file in read_manifest(manifest):
        yield from members(file.check(manifest), patterns)
