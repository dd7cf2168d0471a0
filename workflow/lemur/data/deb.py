"""The files of a Debian binary package: an ``ar`` archive that holds ``data.tar`` compressed.

Format: deb(5). Nothing of the control part is read; nothing is unpacked to disk.
"""

import io
from pathlib import Path
from typing import IO

MAGIC = b"!<arch>\n"
_HEADER = 60


class Slice(io.RawIOBase):
    """``size`` bytes of a file from ``start`` on, as a file of its own."""

    def __init__(self, path: Path, start: int, size: int):
        self.file = open(path, "rb")  # noqa: SIM115 (closed with this one)
        self.start, self.size, self.at = start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(0, base + offset)
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer) -> int:
        self.file.seek(self.start + self.at)
        data = self.file.read(max(0, min(len(buffer), self.size - self.at)))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


def data(path: Path) -> IO[bytes]:
    """The member ``data.tar``, still compressed. ``EOFError`` or ``ValueError`` for damage."""
    whole = path.stat().st_size
    with open(path, "rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError("no ar archive")
        at = len(MAGIC)
        while at < whole:
            file.seek(at)
            header = file.read(_HEADER)
            if (
                len(header) < _HEADER
                or header[58:] != b"`\n"
                or not header[48:58].strip().isdigit()
            ):
                raise ValueError("an ar header is damaged")
            name, size = header[:16].decode("latin-1").strip().rstrip("/"), int(header[48:58])
            at += _HEADER
            if at + size > whole:
                raise EOFError(f"{name} is cut short")
            if name.startswith("data.tar"):
                return io.BufferedReader(Slice(path, at, size), 1 << 18)
            at += size + size % 2
    raise ValueError("no data.tar in it")
