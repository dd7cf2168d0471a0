"""The files inside what a download left behind, read without unpacking anything to disk."""

import fnmatch
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from lemur.errors import UserError
from lemur.files import read_json

LARGEST = 1 << 30  # bytes of one member: more is a mistake or a decompression bomb


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _checked(path: Path, name: str, size: int) -> None:
    if size > LARGEST:
        raise UserError(f"{path}: '{name}' unpacks to {size} bytes, more than {LARGEST}")


def members(path: Path, patterns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the members of an archive that match, sorted by name; or of a plain file.

    Wheels, zip and tar archives are opened; anything else is its own single member. Of members with
    one name the last counts, which is the one that unpacking leaves.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                entries = {info.filename: info for info in archive.infolist()}
                for _, info in sorted(entries.items()):
                    if not info.is_dir() and _matches(info.filename, patterns):
                        _checked(path, info.filename, info.file_size)
                        yield info.filename, archive.read(info)
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as archive:
                found = {entry.name: entry for entry in archive.getmembers()}
                for _, entry in sorted(found.items()):
                    file = archive.extractfile(entry) if entry.isfile() else None
                    if file is not None and _matches(entry.name, patterns):
                        _checked(path, entry.name, entry.size)
                        yield entry.name, file.read()
        elif _matches(path.name, patterns):
            _checked(path, path.name, path.stat().st_size)
            yield path.name, path.read_bytes()
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: a damaged archive ({error}); remove it and fetch again") from None


def manifest_members(manifest: Path, patterns: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """The same for every file that a download's ``manifest.json`` lists, in its order."""
    for file in read_json(manifest)["files"]:
        path = manifest.parent / file["path"]
        if not path.is_file():
            raise UserError(f"{path}: no such file, though {manifest} lists it; fetch it again")
        yield from members(path, patterns)
