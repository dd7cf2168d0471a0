"""Cleaned documents as the corpus stage leaves them: ``<source>/part-<i>-of-<P>.parquet``."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from lemur.core.errors import UserError
from lemur.data.parquet import READING, ROWS, record_batches

NAME = re.compile(r"part-(\d+)-of-(\d+)\.(parquet|json)$")


@dataclass(frozen=True, order=True)
class Shard:
    """One part of one source; row r of the file is document (source, part, r)."""

    source: str
    part: int
    parts: int
    path: Path


def shard(path: Path | str) -> Shard:
    """The source (the folder's name) and the part that a file's path names."""
    path = Path(path)
    match = NAME.search(path.name)
    if not match:
        raise UserError(f"{path}: not named <source>/part-<i>-of-<P>.parquet")
    return Shard(path.resolve().parent.name, int(match[1]), int(match[2]), path)


def shards(paths: Iterable[Path | str]) -> list[Shard]:
    """All shards, sorted by source and part; a part that is missing or there twice is an error."""
    found = sorted(shard(path) for path in paths)
    by_source: dict[str, list[Shard]] = {}
    for table in found:
        by_source.setdefault(table.source, []).append(table)
    for source, tables in by_source.items():
        if [table.part for table in tables] != list(range(tables[0].parts)) or len(
            {table.parts for table in tables}
        ) != 1:
            have = ", ".join(f"{table.part} of {table.parts}" for table in tables)
            raise UserError(f"source '{source}': needs each of its parts once, has {have}")
    return found


def opened(path: Path) -> parquet.ParquetFile:
    """A parquet file; a missing or damaged one is a ``UserError`` that names it."""
    try:
        return parquet.ParquetFile(path, **READING)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a whole parquet file ({error})") from None


def batches(
    path: Path, columns: Sequence[str], size: int = ROWS
) -> Iterator[tuple[int, dict[str, list[Any]]]]:
    """(first row, {column: values}) of at most ``size`` documents at a time, in row order."""
    with opened(path) as file:
        absent = sorted(set(columns) - set(file.schema_arrow.names))
        if absent:
            raise UserError(f"{path}: lacks the column {', '.join(absent)}")
        row = 0
        for batch in record_batches(file, columns, size):
            yield row, batch.to_pydict()
            row += batch.num_rows


def total_bytes(paths: Iterable[Path]) -> int:
    """Sum of the ``bytes`` column."""
    return sum(
        sum(batch["bytes"]) for path in paths for _, batch in batches(path, ["bytes"], 65536)
    )
