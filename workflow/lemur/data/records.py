"""Records of a data set's file: JSON Lines, JSON or Parquet, plain or compressed.

Cleaning, instruction data, decontamination, evaluation and recorded runs all read through this
module, so that a file which one of them accepts means the same to the others. A line ends at
``\\n`` and nowhere else: JSON allows U+2028, U+2029 and U+0085 inside a string as they are, and
``str.splitlines`` would cut there. A byte order mark is passed over. Compression is told by
content, since downloads lose their endings.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from lemur.core.errors import UserError, first_line
from lemur.data.row import Row

# A longer line is no record that any stage would keep, and could fill the memory.
LONGEST_LINE = 64 * 1024 * 1024
_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class _ArrowStream(io.RawIOBase):
    """Arrow's stream as one that ``io.BufferedReader`` can cut into lines."""

    def __init__(self, stream: Any):
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def decompressed(file: BinaryIO) -> BinaryIO:
    """``file`` (seekable, at its start) or the stream that it packs: gzip or zstandard."""
    head = file.read(4)
    file.seek(0)
    if head.startswith(_GZIP):
        return gzip.open(file, "rb")
    if head == _ZSTANDARD:
        import pyarrow as pa  # Arrow's codec: no other package for zstandard is needed

        stream = pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")
        return io.BufferedReader(_ArrowStream(stream), 1 << 20)
    return file


def _parsed(data: bytes, where: str) -> Any:
    try:
        # Half a surrogate pair as bytes is what some writers make of emoji; the text is still read.
        return json.loads(data.decode("utf-8-sig", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not UTF-8 ({error})") from None
    except (ValueError, RecursionError) as error:  # numbers and nesting beyond all measure too
        raise UserError(f"{where} is not JSON ({first_line(error)})") from None


def json_lines(file: BinaryIO, where: str) -> Iterator[tuple[int, Any]]:
    """(line number from 1, value) of each line that is not blank.

    ``file`` is opened for bytes, at its start, compressed or not. ``UserError`` names ``where``
    and the line that is no JSON, is too long, or after which the file is damaged.
    """
    number = 0
    stream = decompressed(file)
    while True:
        try:
            line = stream.readline(LONGEST_LINE)
        except (ValueError, EOFError, OSError, zlib.error) as error:  # Arrow's is a ValueError
            raise UserError(
                f"{where}: truncated or damaged after line {number} ({first_line(error)})"
            ) from None
        if not line:
            return
        number += 1
        if len(line) == LONGEST_LINE:
            raise UserError(f"{where}: line {number} is longer than {LONGEST_LINE:,} bytes")
        if line.strip(b" \t\r\n\xef\xbb\xbf"):
            yield number, _parsed(line, f"{where}: line {number}")


def json_objects(file: BinaryIO, where: str) -> Iterator[tuple[int, Row]]:
    """``json_lines`` of which each must be an object."""
    for number, value in json_lines(file, where):
        if not isinstance(value, dict):
            raise UserError(f"{where}: line {number} is no JSON object")
        yield number, value


def json_document(data: bytes, where: str) -> Any:
    """The one value of a JSON file, compressed or not; ``UserError`` where it is none."""
    try:
        whole = decompressed(io.BytesIO(data)).read()
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{where}: truncated or damaged ({first_line(error)})") from None
    return _parsed(whole, where)


def holds_rows(name: str) -> bool:
    """Whether a file of that ``name`` is read row by row; else it is one JSON value."""
    return _ending(name) in (".jsonl", ".parquet")


def _ending(name: str) -> str:
    """A name's ending; that of a compressed file may have .gz or .zst behind it."""
    for packed in (".gz", ".zst"):
        name = name.removesuffix(packed)
    return PurePosixPath(name).suffix


def read_records(name: str, data: bytes, where: str) -> Iterator[Any]:
    """Rows of a file by the ending of its ``name``: .parquet, .jsonl, or else one JSON value."""
    if _ending(name) == ".parquet":
        # Only now: pyarrow takes longer to load than most files to read.
        from lemur.data import parquet

        yield from parquet.rows(io.BytesIO(data), where)
    elif holds_rows(name):
        yield from (value for _, value in json_lines(io.BytesIO(data), where))
    else:
        yield json_document(data, where)
