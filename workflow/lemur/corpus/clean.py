"""Keep a part's documents that are worth training on; count why each other file was dropped."""

import fnmatch
import hashlib
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from lemur.corpus import filters, languages, licences, redact
from lemur.corpus.candidates import Candidate, of_manifest
from lemur.corpus.examples import Examples
from lemur.corpus.filters import Cleaning
from lemur.errors import UserError, nearest
from lemur.files import read_json, replacing, write_json
from lemur.progress import Progress

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("language", pa.string()),
        ("licence", pa.string()),
        ("text", pa.string()),
        ("bytes", pa.int64()),
        ("heldout", pa.bool_()),
    ]
)
# Bytes of text in one row group: what a reader of a single column must hold at once.
_ROW_GROUP = 16_000_000


@dataclass(slots=True)
class _Kept:
    """A kept document without its text, which waits in a spool file at ``start``."""

    path: str
    id: str
    language: str
    licence: str
    start: int
    size: int
    raw: int


def is_heldout(identity: str, share: float) -> bool:
    """Whether the document with this id (sha256, hex) is held out: never trained on.

    A property of the text alone, so equal texts in two sources fall on the same side.
    """
    return int(identity[:8], 16) / 2**32 < share


def globs(patterns: list[str] | None) -> re.Pattern[str] | None:
    """One expression for a list of globs in which ``*`` matches ``/`` too; None for no list."""
    if not patterns:
        return None
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


class Rules:
    """What one source and corpus want of a document, ready to be asked many times."""

    def __init__(self, source: dict[str, Any], cleaning: Cleaning):
        self.source, self.cleaning = source, cleaning
        self.prose = source.get("kind") == "text"
        if source.get("kind") not in ("code", "text"):
            raise UserError(
                f"{source['name']}: kind {source.get('kind')!r}: allowed are code, text"
            )
        self.include = globs(source.get("include"))
        self.exclude = globs(source.get("exclude"))
        declared = source.get("languages")
        for name in declared or ():
            if name not in languages.KNOWN:
                raise UserError(
                    f"{source['name']}: language {name!r} is unknown{nearest(name, languages.KNOWN)}"
                )
        every = languages.PROSE if self.prose else languages.CODE
        self.languages = frozenset(declared or every)
        self.sole = declared[0] if declared and len(declared) == 1 else None
        self.licences = frozenset(cleaning.licences) or licences.PERMISSIVE
        self.examples = Examples()
        self.redacted: dict[str, Counter[str]] = {
            kind: Counter(documents=0, replaced=0) for kind in cleaning.redact
        }
        # Data sets' rows have a path only where a column gives it.
        self.has_paths = source.get("format", "archive") in ("archive", "files") or bool(
            source.get("path_field")
        )

    def unread(self, found: Candidate) -> str | None:
        """The reason that needs no content, so that nothing is read for it."""
        path = found.path
        if found.link:
            return "link"
        if self.include and not self.include.match(path):
            return "not_included"
        if self.exclude and self.exclude.match(path):
            return "excluded"
        if licences.is_licence_file(path):
            return "licence_text"
        reason = filters.by_path(path)
        if reason:
            return reason
        if self.has_paths and not found.language:
            if languages.has_unknown_extension(path):
                return "other_type"
            told = languages.by_name(path)
            if told and told not in self.languages and told not in ("c", "cpp"):
                return "other_language"
        if found.size < self.cleaning.min_bytes:
            return "too_short"
        return "over_long" if found.size > self.cleaning.max_bytes else None

    def language(self, found: Candidate, text: str) -> str | None:
        """The document's language: its column's, its path's and content's, or the only one wanted."""
        if found.language:
            return found.language.lower()
        told = languages.language_of(found.path, text) if self.has_paths else None
        return told or (None if self.has_paths else self.sole or ("text" if self.prose else None))

    def licence(self, found: Candidate, text: str) -> tuple[str | None, str | None]:
        """(licence, None) or (None, reason): a file's own SPDX line wins over its package's."""
        if found.licence is None:
            return None, "nested_licence"
        permitted = licences.allowed(found.licence, self.licences)
        if self.prose and permitted:
            return found.licence, None
        stated, copyleft = licences.of_header(text)
        if self.prose:
            return None, "licence_header" if stated else "licence"
        if copyleft:
            return None, "licence_header"
        licence = stated or found.licence
        if not (
            permitted if licence == found.licence else licences.allowed(licence, self.licences)
        ):
            return None, "licence_header" if stated else "licence"
        return licence, None


def run(spec: dict[str, Any], manifest: Path, part: int, parts: int, out: Path) -> None:
    """Write ``out`` (parquet, one row a document, sorted by path) and its ``.stats.json``.

    ``spec`` = {source, cleaning, heldout: {share}, max_mb}. read = documents + dropped, in files.
    Raises ``UserError`` for damaged archives, an unknown setting and a licence that contradicts.
    """
    source, cleaning = spec["source"], Cleaning.of(spec.get("cleaning"))
    share = float((spec.get("heldout") or {}).get("share", 0.0))
    if not 0 <= share < 1:
        raise UserError(f"heldout.share is {share}: allowed is 0 up to, not including, 1")
    rules = Rules(source, cleaning)
    dropped: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    out.parent.mkdir(parents=True, exist_ok=True)
    total = sum(entry["size"] for entry in read_json(manifest)["files"])
    with (
        tempfile.TemporaryFile(dir=out.parent) as spool,
        Progress(f"clean {source['name']}", total / 1e3, "kB") as progress,
    ):
        kept, read = _sift(rules, manifest, spool, dropped, progress)
        kept = _capped(kept, spec.get("max_mb"), parts, dropped)
        kept.sort(key=lambda document: (document.path, document.id))
        _write(out, kept, spool, share)
    stats = _statistics(source, kept, read, dropped, share)
    stats |= {"part": part, "parts": parts, "downloaded_bytes": total}
    stats["examples"] = rules.examples.chosen()
    stats["redacted"] = {kind: dict(counts) for kind, counts in rules.redacted.items()}
    write_json(stats_path(out), stats)


def stats_path(out: Path) -> Path:
    """``part-i-of-P.stats.json`` beside ``part-i-of-P.parquet``."""
    return out.with_suffix(".stats.json")


def _sift(
    rules: Rules,
    manifest: Path,
    spool: IO[bytes],
    dropped: dict[str, list[int]],
    progress: Progress,
) -> tuple[list[_Kept], list[int]]:
    kept: list[_Kept] = []
    read = [0, 0]
    seen: set[str] = set()
    for found in of_manifest(rules.source, manifest, lambda done: progress.add(done / 1e3)):
        read[0] += 1
        read[1] += found.size
        result = "repeated_path" if found.path in seen else _judge(rules, found)
        seen.add(found.path)
        if isinstance(result, str):
            dropped[result][0] += 1
            dropped[result][1] += found.size
            continue
        text, language, licence = result
        data = text.encode("utf-8")
        identity = hashlib.sha256(data).hexdigest()
        start = spool.tell()
        spool.write(data)
        kept.append(_Kept(found.path, identity, language, licence, start, len(data), found.size))
    return kept, read


def _judge(rules: Rules, found: Candidate) -> str | tuple[str, str, str]:
    """A reason to drop, or (text, language, licence)."""
    reason = rules.unread(found)
    if reason:
        return reason
    text = filters.decoded(found.read())
    if text is None:
        return "not_text"
    language = rules.language(found, text)
    if language is None:
        return "unknown_language"
    if language not in rules.languages:
        return "other_language"
    reason = filters.by_text(text, language, rules.cleaning)
    if reason:
        rules.examples.dropped(found.path, language, text, reason)
        return reason
    licence, reason = rules.licence(found, text)
    if not licence:
        rules.examples.dropped(found.path, language, "", str(reason))
        return str(reason)
    rules.examples.kept(found.path, language, text)
    text, replaced = redact.redacted(text, rules.cleaning.redact)
    for kind, count in replaced.items():
        rules.redacted[kind]["documents"] += 1
        rules.redacted[kind]["replaced"] += count
    return text, language, licence


def _capped(
    kept: list[_Kept], max_mb: float | None, parts: int, dropped: dict[str, list[int]]
) -> list[_Kept]:
    """At most ``max_mb`` (million bytes, over all parts): a sample by hash, the same every time."""
    if max_mb is None:
        return kept
    left = int(max_mb * 1e6 / parts)
    chosen = []

    # Hashed again, because the first digits of the id itself decide what is held out.
    def order(document: _Kept) -> tuple[str, str]:
        return hashlib.sha256(f"sample {document.id}".encode()).hexdigest(), document.path

    for document in sorted(kept, key=order):
        if document.size <= left:
            left -= document.size
            chosen.append(document)
        else:
            dropped["over_max_mb"][0] += 1
            dropped["over_max_mb"][1] += document.raw
    return chosen


def _batches(kept: list[_Kept], spool: IO[bytes], share: float) -> Iterator[pa.RecordBatch]:
    rows: list[tuple] = []
    size = 0
    for document in kept:
        spool.seek(document.start)
        text = spool.read(document.size).decode("utf-8")
        held = is_heldout(document.id, share)
        rows.append(
            (document.id, document.path, document.language, document.licence, text)
            + (document.size, held)
        )
        size += document.size
        if size >= _ROW_GROUP:
            yield _batch(rows)
            rows, size = [], 0
    yield _batch(rows)


def _batch(rows: list[tuple]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in SCHEMA]
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _write(out: Path, kept: list[_Kept], spool: IO[bytes], share: float) -> None:
    with (
        replacing(out) as temporary,
        pq.ParquetWriter(temporary, SCHEMA, compression="zstd", compression_level=3) as writer,
    ):
        for batch in _batches(kept, spool, share):
            writer.write_batch(batch)


def _statistics(
    source: dict[str, Any],
    kept: list[_Kept],
    read: list[int],
    dropped: dict[str, list[int]],
    share: float,
) -> dict[str, Any]:
    held = [document for document in kept if is_heldout(document.id, share)]
    by_language: dict[str, Counter[str]] = defaultdict(Counter)
    by_licence: dict[str, Counter[str]] = defaultdict(Counter)
    for document in kept:
        for counts in (by_language[document.language], by_licence[document.licence]):
            counts["documents"] += 1
            counts["bytes"] += document.size
    return {
        "source": source["name"],
        "kind": source["kind"],
        "licence": source.get("licence"),
        "documents": len(kept),
        "bytes": sum(document.size for document in kept),
        "heldout_documents": len(held),
        "heldout_bytes": sum(document.size for document in held),
        "read": {"files": read[0], "bytes": read[1]},
        # Line ends, byte order marks and redaction: what a kept file lost.
        "rewritten_bytes": sum(document.raw - document.size for document in kept),
        "dropped": {why: {"files": n, "bytes": b} for why, (n, b) in sorted(dropped.items())},
        "languages": {name: dict(counts) for name, counts in sorted(by_language.items())},
        "licences": {name: dict(counts) for name, counts in sorted(by_licence.items())},
    }
