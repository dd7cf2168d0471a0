"""``manifest.json`` of a download: the files that were fetched, each with the hash it came with."""

from dataclasses import dataclass
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.files import read_json, sha256_of


@dataclass(frozen=True)
class Download:
    """One file: where it lies, and its sha256 in hexadecimal where the manifest has it."""

    path: Path
    sha256: str | None

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


def read_manifest(manifest: Path) -> list[Download]:
    """The files that a download's manifest lists, in its order; UserError for another file, and for
    a path that leaves the manifest's folder."""
    given = read_json(manifest)
    listed = given.get("files") if isinstance(given, dict) else None
    if not isinstance(listed, list):
        raise UserError(f"{manifest}: not a manifest of a download (no list 'files')")
    found = []
    for number, item in enumerate(listed):
        where = f"{manifest}: files.{number}"
        if not isinstance(item, dict) or not isinstance(item.get("path"), str):
            raise UserError(f"{where}: not a manifest of a download ('path' is no text)")
        if not isinstance(item.get("sha256"), str | None):
            raise UserError(f"{where}: not a manifest of a download ('sha256' is no text)")
        path = Path(item["path"])
        if path.is_absolute() or ".." in path.parts:
            raise UserError(f"{where}: '{item['path']}' lies outside the download's folder")
        found.append(Download(manifest.parent / path, item.get("sha256")))
    return found
