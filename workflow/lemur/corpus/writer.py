"""Kept documents, from a spool file to a part's parquet and statistics."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from lemur.core.files import replacing
from lemur.core.memory import Returned
from lemur.corpus.part_statistics import DocumentCount, FileCount, PartStatistics
from lemur.corpus.spec import CleanedSource

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
# Bytes of text in one row group: what the writer, and a reader of a single column, must hold at once.
_ROW_GROUP = 4_000_000
# Columns of few values; of the others a dictionary is only tried, filled and thrown away.
_DICTIONARIES = ["language", "licence"]


@dataclass(slots=True)
class Kept:
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


def capped(
    kept: list[Kept], max_mb: float | None, parts: int, dropped: dict[str, list[int]]
) -> list[Kept]:
    """At most ``max_mb`` (million bytes, over all parts): a sample by hash, the same every time."""
    if max_mb is None:
        return kept
    left = int(max_mb * 1e6 / parts)
    chosen = []

    # Hashed again, because the first digits of the id itself decide what is held out.
    def order(document: Kept) -> tuple[str, str]:
        return hashlib.sha256(f"sample {document.id}".encode()).hexdigest(), document.path

    for document in sorted(kept, key=order):
        if document.size <= left:
            left -= document.size
            chosen.append(document)
        else:
            dropped["over_max_mb"][0] += 1
            dropped["over_max_mb"][1] += document.raw
    return chosen


def _batches(kept: list[Kept], spool: IO[bytes], share: float) -> Iterator[pa.RecordBatch]:
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
    if rows:
        yield _batch(rows)


def _batch(rows: list[tuple]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    arrays = [pa.array(list(c), f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def write(out: Path, kept: list[Kept], spool: IO[bytes], share: float) -> None:
    with (
        replacing(out) as temporary,
        pq.ParquetWriter(
            temporary,
            SCHEMA,
            use_dictionary=_DICTIONARIES,
            compression="zstd",
            compression_level=3,
        ) as writer,
    ):
        returned = Returned()
        for batch in _batches(kept, spool, share):
            writer.write_batch(batch)
            returned.add(batch.nbytes)


def statistics(
    source: CleanedSource,
    kept: list[Kept],
    read: list[int],
    dropped: dict[str, list[int]],
    share: float,
) -> PartStatistics:
    """The counts of documents and files; ``read`` and each of ``dropped`` are files and bytes."""
    held = [document for document in kept if is_heldout(document.id, share)]
    by_language: dict[str, Counter[str]] = defaultdict(Counter)
    by_licence: dict[str, Counter[str]] = defaultdict(Counter)
    for document in kept:
        for counts in (by_language[document.language], by_licence[document.licence]):
            counts["documents"] += 1
            counts["bytes"] += document.size
    return PartStatistics(
        source=source.name,
        kind=source.kind,
        licence=source.licence,
        documents=len(kept),
        bytes=sum(document.size for document in kept),
        heldout_documents=len(held),
        heldout_bytes=sum(document.size for document in held),
        read=FileCount(*read),
        rewritten_bytes=sum(document.raw - document.size for document in kept),
        dropped={why: FileCount(*counts) for why, counts in dropped.items()},
        languages={name: DocumentCount(**counts) for name, counts in by_language.items()},
        licences={name: DocumentCount(**counts) for name, counts in by_licence.items()},
    )
