"""Candidate documents of a downloaded part: archive members, plain files, or rows of a data set."""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from lemur.core.errors import UserError, first_line, nearest
from lemur.corpus import licences
from lemur.corpus.convert import CONVERTERS, Converter
from lemur.corpus.spec import CleanedSource
from lemur.corpus.survey import survey
from lemur.data import parquet, records
from lemur.data.archives import Member, members, safe_path
from lemur.data.manifest import read_manifest
from lemur.data.row import Row

FORMATS = ("archive", "files", "jsonl", "parquet")


@dataclass(frozen=True)
class Candidate:
    """One possible document: ``size`` in bytes as found, ``read`` gives those bytes.

    ``licence`` is the source's, the nested folder's or the row's; None where a folder has one
    that is not known to be permissive. ``language`` only where a data set's column tells it.
    ``no_text``: a row whose text is a number or a list. ``replaced``: a later member of the
    archive has the same path, and unpacking leaves that one.
    """

    path: str
    size: int
    licence: str | None
    read: Callable[[], bytes]
    link: bool = False
    language: str | None = None
    no_text: bool = False
    replaced: bool = False


def check_files(manifest: Path) -> list[Path]:
    """The files that a download's manifest lists; ``UserError`` when one is missing or changed."""
    return [file.check(manifest) for file in read_manifest(manifest)]


def list_candidates(
    source: CleanedSource, manifest: Path, progress: Callable[[float], None] = lambda _: None
) -> Iterator[Candidate]:
    """Every candidate of a part, in the order of its files; ``UserError`` for damaged input.

    ``progress`` is told how many bytes of the downloaded files have been worked through.
    """
    kind = source.format or "archive"
    if kind not in FORMATS:
        raise UserError(f"{source.name}: format {kind!r} is unknown{nearest(kind, FORMATS)}")
    paths = check_files(manifest)
    for path in paths:
        inside = path.relative_to(manifest.parent / "files").as_posix()
        if kind == "archive":
            yield from _archive(source, path, f"{inside}/" if len(paths) > 1 else "", progress)
        elif kind == "files":
            licence = licences.settle(source)
            yield Candidate(inside, path.stat().st_size, licence, path.read_bytes)
            progress(path.stat().st_size)
        else:
            read = _parquet if kind == "parquet" else _jsonl
            rows = read(source, path, f"{source.name}: {inside}", progress)
            yield from _rows(source, rows, inside)


def _archive(
    source: CleanedSource, path: Path, prefix: str, progress: Callable[[float], None]
) -> Iterator[Candidate]:
    about = survey(path)
    converter = CONVERTERS.get(source.convert or "")
    if source.convert and converter is None:
        raise UserError(
            f"{source.name}: convert {source.convert!r} is unknown"
            f"{nearest(source.convert, CONVERTERS)}"
        )
    own = licences.settle(source, about.metadata)
    share = path.stat().st_size / max(1, about.count)
    for number, member in enumerate(members(path)):
        nested, other = about.nested_for(member.path)
        licence = other if nested else own
        place = prefix + member.path
        if about.last.get(member.path, number) != number:
            yield Candidate(place, member.size, licence, member.read, member.link, replaced=True)
        elif member.link or converter is None or not converter.takes(member.path):
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
            f"{archive}: {member.path}: damaged ({first_line(error)}); remove it and fetch it again"
        ) from None


def _columns(source: CleanedSource) -> dict[str, list[str]]:
    """Our field names to the data set's: text always, path, licence and language where given."""
    texts = source.text_field or "text"
    wanted = {"text": [texts] if isinstance(texts, str) else list(texts)}
    others = (
        ("path", source.path_field),
        ("licence", source.licence_field),
        ("language", source.language_field),
    )
    return wanted | {ours: [theirs] for ours, theirs in others if theirs}


def _parquet(
    source: CleanedSource, path: Path, where: str, progress: Callable[[float], None]
) -> Iterator[Row]:
    columns = _columns(source)

    def chosen(schema: pa.Schema) -> list[str]:
        for ours, names in columns.items():
            for name in names:
                kind = parquet.column_type(schema, name)
                if kind is None:
                    raise UserError(f"{path.name}: no column {name!r}{nearest(name, schema.names)}")
                if ours == "text" and not parquet.is_text(kind):
                    raise UserError(f"{path.name}: column {name!r} (text_field) is {kind}, no text")
        return list(dict.fromkeys(name for names in columns.values() for name in names))

    size = path.stat().st_size
    return parquet.rows(path, where, chosen, lambda share: progress(share * size))


def _jsonl(
    source: CleanedSource, path: Path, where: str, progress: Callable[[float], None]
) -> Iterator[Row]:
    at = 0
    with open(path, "rb") as packed:
        for _, row in records.json_objects(packed, where):
            yield row
            if packed.tell() > at:
                progress(packed.tell() - at)
                at = packed.tell()


def _rows(source: CleanedSource, rows: Iterator[Row], inside: str) -> Iterator[Candidate]:
    columns = _columns(source)
    declared = None
    if "licence" not in columns:
        if source.licence == licences.MIXED:
            raise UserError(f"{source.name}: licence is 'mixed', so licence_field is needed")
        declared = licences.settle(source)
    for number, row in enumerate(rows):
        values = [_value(row, name) for name in columns["text"]]
        if number == 0:
            _first(columns["text"], row, values, f"{source.name}: {inside}")
        odd = any(not isinstance(value, str | bytes | None) for value in values)
        texts = [value for value in values if isinstance(value, str | bytes)]
        data, size = _joined(texts)
        path, language = (
            _name(_value(row, columns[c][0])) if c in columns else None
            for c in ("path", "language")
        )
        # Two files may carry the same path; the row keeps documents apart and in order.
        place = f"{inside}#{number:08d}" + (f"/{_safe(path)}" if path else "")
        licence = _licence(_value(row, columns["licence"][0])) if "licence" in columns else declared
        yield Candidate(
            place,
            size,
            licence,
            lambda data=data: data,
            language=language or None,
            no_text=odd,
        )


def _joined(texts: list[str | bytes]) -> tuple[bytes, int]:
    """Texts as UTF-8, and how many bytes they had: a lone surrogate had three, and is one as ``?``."""

    def encoded(errors: str) -> bytes:
        return b"\n".join(x.encode("utf-8", errors) if isinstance(x, str) else x for x in texts)

    try:
        data = encoded("strict")
    except UnicodeEncodeError:
        return encoded("replace"), len(encoded("surrogatepass"))
    return data, len(data)


def _first(names: list[str], row: Iterable[str], values: list[Any], where: str) -> None:
    """``UserError`` where a file's first row shows that a text field is none."""
    for name, value in zip(names, values, strict=True):
        if name not in row and name.split(".")[0] not in row:
            raise UserError(f"{where}: no field {name!r} (text_field){nearest(name, row)}")
        if not isinstance(value, str | bytes | None):
            kind = type(value).__name__
            raise UserError(f"{where}: field {name!r} (text_field) is a {kind}, no text")


def _value(row: Row, name: str) -> Any:
    """``row[name]``; where no field is called so a dot looks into a struct: ``metadata.path``."""
    if name in row:
        return row[name]
    value: Any = row
    for key in name.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _name(value: Any) -> str:
    """A path, language or licence: some data sets keep them as bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _safe(path: str) -> str:
    try:
        return safe_path("row", path)
    except UserError:
        return "_"


def _licence(value: Any) -> str | None:
    """A row's licence: an SPDX expression, or a list that all apply; None where it is none."""
    return licences.join_licences(
        [_name(each) for each in (value if isinstance(value, list) else [value]) if each]
    )
