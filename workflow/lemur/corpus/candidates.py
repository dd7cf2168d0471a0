"""Candidate documents of a downloaded part: archive members, plain files, or rows of a data set."""

import gzip
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from lemur.corpus import licences
from lemur.corpus.archives import Member, members, safe_path
from lemur.corpus.convert import CONVERTERS, Converter
from lemur.corpus.survey import survey
from lemur.errors import UserError, nearest
from lemur.files import read_json
from lemur.mix.documents import READING, record_batches

FORMATS = ("archive", "files", "jsonl", "parquet")
# A longer line is not a document that any threshold would keep, and could fill the memory.
_MAX_LINE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Candidate:
    """One possible document: ``size`` in bytes as found, ``read`` gives those bytes.

    ``licence`` is the source's, the nested folder's or the row's; None where a folder has one
    that is not known to be permissive. ``language`` only where a data set's column tells it.
    """

    path: str
    size: int
    licence: str | None
    read: Callable[[], bytes]
    link: bool = False
    language: str | None = None


def files_of(manifest: Path) -> list[Path]:
    """The files that a download's manifest lists; ``UserError`` when one is missing."""
    found = [manifest.parent / entry["path"] for entry in read_json(manifest)["files"]]
    for path in found:
        if not path.is_file():
            raise UserError(f"{path}: listed in {manifest} but not there: fetch it again")
    return found


def of_manifest(
    source: dict[str, Any], manifest: Path, progress: Callable[[float], None] = lambda _: None
) -> Iterator[Candidate]:
    """Every candidate of a part, in the order of its files; ``UserError`` for damaged input.

    ``progress`` is told how many bytes of the downloaded files have been worked through.
    """
    kind = source.get("format") or "archive"
    if kind not in FORMATS:
        raise UserError(f"{source['name']}: format {kind!r} is unknown{nearest(kind, FORMATS)}")
    paths = files_of(manifest)
    for path in paths:
        inside = path.relative_to(manifest.parent / "files").as_posix()
        if kind == "archive":
            yield from _archive(source, path, f"{inside}/" if len(paths) > 1 else "", progress)
        elif kind == "files":
            licence = licences.settle(source)
            yield Candidate(inside, path.stat().st_size, licence, path.read_bytes)
            progress(path.stat().st_size)
        else:
            rows = _parquet(source, path, progress) if kind == "parquet" else _jsonl(path, progress)
            yield from _rows(source, rows, inside)


def _archive(
    source: dict[str, Any], path: Path, prefix: str, progress: Callable[[float], None]
) -> Iterator[Candidate]:
    about = survey(path)
    converter = CONVERTERS.get(source.get("convert") or "")
    if source.get("convert") and converter is None:
        raise UserError(
            f"{source['name']}: convert {source['convert']!r} is unknown"
            f"{nearest(source['convert'], CONVERTERS)}"
        )
    own = licences.settle(source, about.metadata)
    share = path.stat().st_size / max(1, about.count)
    for member in members(path):
        nested, other = about.nested_for(member.path)
        licence = other if nested else own
        place = prefix + member.path
        if member.link or converter is None or not converter.takes(member.path):
            yield Candidate(place, member.size, licence, member.read, member.link)
        else:
            yield from _converted(converter, member, place, licence, path.name)
        progress(share)


def _converted(
    converter: Converter, member: Member, place: str, licence: str | None, archive: str
) -> Iterator[Candidate]:
    """The documents in a member; one that is too large for its converter stays as it is."""
    if member.size > converter.most:
        yield Candidate(place, member.size, licence, member.read)
        return
    try:
        for name, text in converter.documents(member.read()):
            data = text.encode("utf-8", "replace")
            inside = f"{place}#{name}" if name else place
            yield Candidate(inside, len(data), licence, lambda data=data: data, language="text")
    except (ValueError, struct.error, zlib.error) as error:
        raise UserError(
            f"{archive}: {member.path}: damaged ({_first_line(error)}); remove it and fetch it again"
        ) from None


def _columns(source: dict[str, Any]) -> dict[str, list[str]]:
    """Our field names to the data set's: text always, path, licence and language where given."""
    texts = source.get("text_field") or "text"
    wanted = {"text": [texts] if isinstance(texts, str) else list(texts)}
    for ours in ("path", "licence", "language"):
        if source.get(f"{ours}_field"):
            wanted[ours] = [source[f"{ours}_field"]]
    return wanted


def _parquet(
    source: dict[str, Any], path: Path, progress: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path, **READING) as file:
            needed = list(
                dict.fromkeys(name for all_of in _columns(source).values() for name in all_of)
            )
            for name in needed:
                if name.split(".")[0] not in file.schema_arrow.names:
                    raise UserError(
                        f"{path.name}: no column {name!r}{nearest(name, file.schema_arrow.names)}"
                    )
            share = path.stat().st_size / max(1, file.metadata.num_rows)
            for batch in record_batches(file, needed):
                yield from batch.to_pylist()
                progress(share * batch.num_rows)
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: a text in it is not UTF-8") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path.name}: not a whole parquet file ({_first_line(error)})") from None


def _jsonl(path: Path, progress: Callable[[float], None]) -> Iterator[dict[str, Any]]:
    number = at = 0
    try:
        with open(path, "rb") as packed, _lines(path.name, packed) as file:
            while line := file.readline(_MAX_LINE):
                number += 1
                if len(line) == _MAX_LINE:
                    raise UserError(
                        f"{path.name}: line {number} is longer than {_MAX_LINE:,} bytes"
                    )
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise UserError(f"{path.name}: line {number} is no JSON object")
                yield row
                if packed.tell() > at:
                    progress(packed.tell() - at)
                    at = packed.tell()
    except (ValueError, RecursionError) as error:  # numbers and nesting beyond all measure too
        raise UserError(f"{path.name}: line {number} is not JSON ({_first_line(error)})") from None
    except (pa.ArrowException, EOFError, OSError, zlib.error) as error:
        raise UserError(
            f"{path.name}: truncated or damaged after line {number} ({_first_line(error)})"
        ) from None


def _lines(name: str, packed: BinaryIO) -> Any:
    name = name.lower()
    if name.endswith((".gz", ".gzip")):
        return gzip.open(packed, "rb")
    if name.endswith((".zst", ".zstd")):
        # Arrow's codec: no other package for zstandard is needed.
        stream = pa.CompressedInputStream(pa.PythonFile(packed, "r"), "zstd")
        return io.BufferedReader(_Raw(stream), 1 << 20)
    return packed


class _Raw(io.RawIOBase):
    """Arrow's stream as one that ``io.BufferedReader`` can cut into lines."""

    def __init__(self, stream: pa.NativeFile):
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _rows(source: dict[str, Any], rows: Iterator[dict], inside: str) -> Iterator[Candidate]:
    columns = _columns(source)
    declared = None
    if "licence" not in columns:
        if source.get("licence") == licences.MIXED:
            raise UserError(f"{source['name']}: licence is 'mixed', so licence_field is needed")
        declared = licences.settle(source)
    for number, row in enumerate(rows):
        if number == 0:
            for name in columns["text"]:
                if name.split(".")[0] not in row:
                    raise UserError(f"{inside}: no field {name!r} (text_field){nearest(name, row)}")
        texts = [value for name in columns["text"] if isinstance(value := _value(row, name), str)]
        data = "\n".join(texts).encode("utf-8", "replace")
        path, told = (
            _value(row, columns[c][0]) if c in columns else None for c in ("path", "language")
        )
        # Two files may carry the same path; the row keeps documents apart and in order.
        place = f"{inside}#{number:08d}" + (f"/{_safe(str(path))}" if path else "")
        licence = _licence(_value(row, columns["licence"][0])) if "licence" in columns else declared
        yield Candidate(
            place, len(data), licence, lambda data=data: data, language=str(told) if told else None
        )


def _value(row: dict[str, Any], name: str) -> Any:
    """``row[name]``; a dot looks into a struct: ``metadata.path``."""
    value: Any = row
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _safe(path: str) -> str:
    try:
        return safe_path("row", path)
    except UserError:
        return "_"


def _licence(value: Any) -> str | None:
    """A row's licence: one name, or a list that all apply; None where it is no SPDX name."""
    names = value if isinstance(value, list) else [value]
    known = [licences.spdx(str(name)) for name in names if name]
    if not known or None in known:
        return None
    return " AND ".join(sorted({name for name in known if name}))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
