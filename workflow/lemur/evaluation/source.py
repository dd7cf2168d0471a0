"""The files of a benchmark, as they were downloaded."""

import zipfile
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.core.provenance import digest
from lemur.data.manifest import Download, read_manifest


class Source:
    """The files behind ``--data``: a download's manifest, or a file of held-out documents."""

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self.listed: dict[Path, Download] = {}
        if self.path.suffix == ".jsonl":
            self.files = [self.path]
            self.sha256 = sha256_of(self.path) if self.path.is_file() else ""
            if not self.sha256:
                raise UserError(f"{self.path}: no such file")
            return
        listed = read_manifest(self.path)
        self.listed = {entry.path: entry for entry in listed}
        self.files = [*self.listed]
        hashes = [entry.sha256 for entry in listed if entry.sha256 is not None]
        if len(hashes) < len(listed):
            raise UserError(
                f"{self.path}: not a manifest of a download (a file without its sha256)"
            )
        self.sha256 = digest(sorted(hashes))

    def read(self, member: str) -> bytes:
        """Bytes of ``member``: inside a wheel, or the downloaded file of that name."""
        for path in self.files:
            if path.name.endswith((".whl", ".zip")):
                try:
                    with zipfile.ZipFile(self.checked(path)) as archive:
                        if member in archive.namelist():
                            return archive.read(member)
                except (OSError, zipfile.BadZipFile) as error:
                    raise UserError(f"{path}: not a readable archive ({error})") from None
            elif path.name == member.rsplit("/", 1)[-1]:
                return self.checked(path).read_bytes()
        raise UserError(f"{self.path}: no file '{member}' in {', '.join(map(str, self.files))}")

    def matching(self, ending: str) -> list[Path]:
        """Files whose name ends with ``ending``, in order."""
        return sorted(self.checked(path) for path in self.files if path.name.endswith(ending))

    def checked(self, path: Path) -> Path:
        """A file that is what was downloaded: its hash is what a score is recorded under."""
        if path in self.listed:
            self.listed.pop(path).check(self.path)  # once for each process
        return path
