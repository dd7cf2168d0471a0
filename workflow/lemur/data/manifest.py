"""``manifest.json`` of a download: the files that were fetched, each with the hash it came with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lemur.core.contracts import optional, read_file
from lemur.core.errors import UserError
from lemur.core.files import sha256_of


@dataclass(frozen=True)
class Download:
    """One file."""

    path: Path
    """Where it lies: in the file below the manifest's folder, as it was read by itself."""
    sha256: str | None = None
    """Of its bytes, in hexadecimal digits."""
    size: int | None = None
    """Bytes."""

    def check(self, manifest: Path) -> Path:
        """``path``, whose bytes are those that were downloaded. UserError where it is missing or has
        been changed or replaced since: what is made of it would be recorded under another's hash."""
        if not self.path.is_file():
            raise UserError(
                f"{self.path}: no such file, though {manifest} lists it; fetch it again"
            )
        if self.sha256 is not None and sha256_of(self.path) != self.sha256:
            raise UserError(f"{self.path}: changed since its download: remove {manifest} and fetch it again")  # fmt: skip
        return self.path


@dataclass(frozen=True)
class Manifest:
    """One part of what was fetched of a source, model, benchmark or environment."""

    files: tuple[Download, ...]
    """In the order in which they are read."""
    name: str = ""
    """Of the entry in config/."""
    part: int = 0
    """Which part, from 0."""
    parts: int = 1
    """How many there are."""
    licence: str | None = None
    """As the entry declares it."""
    left_out: Mapping[str, int] | None = optional()
    """Of a folder of this machine: how many files were not taken, by reason."""
    newer_revision: str | None = optional()
    """Of a hub source whose terms ask for the newest: the hub's commit, where it is not the pinned one."""

    @classmethod
    def read(cls, manifest: Path) -> "Manifest":
        """Of a file, with the files' places as they are from the working folder; UserError for another
        file, and for a path that leaves the manifest's folder."""
        found = read_file(cls, manifest)
        for number, file in enumerate(found.files):
            if file.path.is_absolute() or ".." in file.path.parts:
                raise UserError(f"{manifest}: files[{number}]: '{file.path}' lies outside the download's folder")  # fmt: skip
        files = (replace(file, path=manifest.parent / file.path) for file in found.files)
        return replace(found, files=tuple(files))


def read_manifest(manifest: Path) -> tuple[Download, ...]:
    """The files of a download, in the manifest's order."""
    return Manifest.read(manifest).files
