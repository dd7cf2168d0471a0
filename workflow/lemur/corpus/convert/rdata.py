"""Character vectors of an R package's lazy-load database: a text of one string a line.

Format: R Internals, 1.8 (serialization, XDR) and 1.5.3 (lazy loading): each object stands as the
length of its serialized form in four bytes, then that form in zlib's. Objects of other types than
a character vector are passed over. No R code is run and no object is built.
"""

import struct
import zlib
from collections.abc import Iterator

_STRSXP, _CHARSXP = 16, 9
_LEAST = 1_000
# Text packs about three times; what inflates to far more is no text.
_MOST_RATIO = 50


def documents(data: bytes) -> Iterator[tuple[str, str]]:
    """Each vector whose text is long enough for one; ``ValueError`` for a damaged database."""
    at = number = 0
    while at + 4 < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        packed = zlib.decompressobj()
        if size > _MOST_RATIO * len(data):
            raise ValueError(f"an object of {size:,} bytes in a database of {len(data):,}")
        plain = packed.decompress(data[at + 4 :], size + 1)
        if len(plain) != size or not packed.eof:
            raise ValueError("an object has another length than it says")
        at = len(data) - len(packed.unused_data)
        text = "\n".join(_strings(plain))
        if len(text) >= _LEAST:
            yield f"{number:05d}.txt", text + "\n"
        number += 1
        if not packed.unused_data:
            return


def _strings(plain: bytes) -> Iterator[str]:
    """The strings of a serialized character vector; nothing of another type."""
    if not plain.startswith(b"X\n"):
        return
    version, at = struct.unpack_from(">I", plain, 2)[0], 14
    if version == 3:  # the native encoding's name
        at += 4 + struct.unpack_from(">I", plain, at)[0]
    flags, length = struct.unpack_from(">II", plain, at)
    if flags & 0xFF != _STRSXP:
        return
    at += 8
    for _ in range(length):
        flags, size = struct.unpack_from(">Ii", plain, at)
        if flags & 0xFF != _CHARSXP:
            raise ValueError("a character vector holds something else")
        at += 8
        if size < 0:  # NA
            yield ""
            continue
        encoding = "utf-8" if flags & (1 << 15) or not flags & (1 << 14) else "latin-1"
        yield plain[at : at + size].decode(encoding, "replace")
        at += size
