"""Parquet tables, read in row order and in a few megabytes of memory whatever their size."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lemur.core.errors import UserError, first_line
from lemur.core.memory import Returned
from lemur.data.row import Row

# Documents read together: of the longest that a corpus keeps (1 MB) these fill 16 MB.
ROWS = 16
# Bytes read at a time of a column. By itself pyarrow reads ahead every row group of the file, and
# holds all of it.
READING = {"pre_buffer": False, "buffer_size": 1 << 20}
# What arrow's own allocator frees it keeps for itself.
pa.set_memory_pool(pa.system_memory_pool())


def column_type(schema: pa.Schema, name: str) -> pa.DataType | None:
    """The type of a column, or, where none is called so, of the field that ``a.b`` names in a struct."""
    if name in schema.names:
        return schema.field(schema.names.index(name)).type
    first, *rest = name.split(".")
    kind = schema.field(schema.names.index(first)).type if first in schema.names else None
    for key in rest:
        inner = kind.get_field_index(key) if pa.types.is_struct(kind) else -1
        kind = kind.field(inner).type if inner >= 0 else None
    return kind


def is_text(kind: pa.DataType) -> bool:
    """Whether values of a column are read as ``str`` or ``bytes``, or are all null."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return pa.types.is_null(kind) or any(
        check(kind)
        for check in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
            pa.types.is_fixed_size_binary,
        )
    )


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
) -> Iterator[Row]:
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
