"""Parquet tables, read in row order and in a few megabytes of memory whatever their size."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lemur.data.records import first_line
from lemur.errors import UserError
from lemur.memory import Returned

# Documents read together: of the longest that a corpus keeps (1 MB) these fill 16 MB.
ROWS = 16
# Bytes read at a time of a column. By itself pyarrow reads ahead every row group of the file, and
# holds all of it.
READING = {"pre_buffer": False, "buffer_size": 1 << 20}
# What arrow's own allocator frees it keeps for itself.
pa.set_memory_pool(pa.system_memory_pool())


def record_batches(
    file: pq.ParquetFile, columns: Sequence[str] | None, size: int = ROWS
) -> Iterator[pa.RecordBatch]:
    """At most ``size`` rows at a time, in row order; memory does not grow with their number."""
    returned = Returned()
    wanted = None if columns is None else list(columns)
    for batch in file.iter_batches(batch_size=size, columns=wanted, use_threads=False):
        yield batch
        returned.add(batch.nbytes)


def rows(
    source: Path | io.BytesIO,
    where: str,
    choose: Callable[[pa.Schema], Sequence[str]] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[dict[str, Any]]:
    """Rows as dictionaries; ``UserError`` names ``where`` for a file that is no whole table.

    ``choose`` picks the columns from the file's schema and may refuse it; without it all are read.
    ``progress`` is told the share of the rows that was read since it was last told.
    """
    try:
        with pq.ParquetFile(source, **READING) as file:
            columns = choose(file.schema_arrow) if choose else None
            share = 1 / max(1, file.metadata.num_rows)
            for batch in record_batches(file, columns):
                yield from batch.to_pylist()
                progress(share * batch.num_rows)
    except UnicodeDecodeError:
        raise UserError(f"{where}: a text in it is not UTF-8") from None
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{where}: not a whole parquet file ({first_line(error)})") from None
