"""MinHash signatures of one part's documents (rensa), kept as what the join of all parts asks for.

A file is one array, uint64[2 + bands, documents] (npy): how many shingles a document has (0: no
word), a hash of its whole signature, and a hash of each band of it. Whole rows of it are read at
a time, so that joining holds 8 bytes a document and not a signature.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import rensa

from lemur.core.arrays import save_array
from lemur.core.errors import UserError
from lemur.core.progress import Progress
from lemur.corpus.deduplication import Settings
from lemur.data.documents import opened
from lemur.data.parquet import record_batches
from lemur.data.shingles import Shingler, mixed

# Changes every signature, and by the luck of the draw the pairs that bands propose.
_SEED = 2310
# Bytes of text whose arrays are worked on at once; small enough to stay in a processor's cache.
_GROUP = 1 << 18
# Signatures hashed together: hardly dearer than one, and 1 MB at 256 permutations.
_HASHED = 1024
# Rows of a file before those of the bands.
COUNT, WHOLE, FIRST_BAND = 0, 1, 2


def texts(path: Path, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(bytes, offsets) of groups of the documents in ``rows`` (ascending), in their order."""
    with opened(path) as file:
        first = 0
        for batch in record_batches(file, ["text"]):
            low, high = np.searchsorted(rows, [first, first + batch.num_rows])
            chosen = rows[low:high] - first
            first += batch.num_rows
            if not len(chosen):
                continue
            column = batch.column(0).take(pa.array(chosen)).cast(pa.large_string())
            _, offsets, data = column.buffers()
            offsets = np.frombuffer(offsets, np.int64)[: len(chosen) + 1]
            every = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
            begin = 0
            while begin < len(chosen):
                end = int(np.searchsorted(offsets, offsets[begin] + _GROUP, side="right")) - 1
                end = min(max(end, begin + 1), len(chosen))
                part = offsets[begin : end + 1]
                yield every[part[0] : part[-1]], part - part[0]
                begin = end


def _hashed(columns: np.ndarray) -> np.ndarray:
    """One uint64 for each last axis of uint32[..., permutations]."""
    made = np.zeros(columns.shape[:-1], np.uint64)
    with np.errstate(over="ignore"):
        for column in range(columns.shape[-1]):
            made = mixed(made + columns[..., column] + np.uint64(1))
    return made


def _hash(settings: Settings, signed: list[np.ndarray], made: np.ndarray, at: int) -> int:
    """Fill in the hashes of documents from ``at`` on, whose signatures ``signed`` is emptied of."""
    every = np.concatenate(signed)
    signed.clear()
    here = slice(at, at + len(every))
    made[WHOLE, here] = _hashed(every)
    made[FIRST_BAND:, here] = _hashed(every.reshape(len(every), settings.bands, -1)).T
    return here.stop


def sign(settings: Settings, path: Path, out: Path) -> None:
    """Write ``out``, the signatures of every document of the parquet part ``path``."""
    with opened(path) as file:
        count = file.metadata.num_rows
    made = np.zeros((FIRST_BAND + settings.bands, count), np.uint64)
    shingler, at = Shingler(settings.shingle), 0
    signed: list[np.ndarray] = []
    hashed = 0
    with Progress(f"signatures {path.parent.name}", count, "documents") as progress:
        for data, begins in texts(path, np.arange(count)):
            hashes, offsets = shingler.hash_shingles(data, begins)
            rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
                hashes, offsets.astype(np.uint64), settings.permutations, _SEED
            )
            signed.append(np.array(rows.to_rows(), np.uint32))
            added = len(signed[-1])
            made[COUNT, at : at + added] = np.diff(offsets)
            at += added
            if at - hashed >= _HASHED:
                hashed = _hash(settings, signed, made, hashed)
            progress.add(added)
        if signed:
            _hash(settings, signed, made, hashed)
    save_array(out, made)


class Signatures:
    """The files of all parts, read a row at a time; ``rows[k]`` are the documents used of file k."""

    def __init__(self, paths: Sequence[Path], rows: Sequence[np.ndarray], settings: Settings):
        self.paths, self.rows = paths, rows
        self._begins: list[tuple[int, int]] = []
        for path in paths:
            try:
                with path.open("rb") as file:
                    version = np.lib.format.read_magic(file)
                    if version != (1, 0):
                        raise ValueError(f"npy version {version}")
                    shape, fortran, kind = np.lib.format.read_array_header_1_0(file)
                    begin = file.tell()
                whole = begin + 8 * int(np.prod(shape))
                if fortran or kind != np.uint64 or path.stat().st_size != whole:
                    raise ValueError("cut short or of another type")
            except FileNotFoundError:
                raise UserError(f"{path}: no such file") from None
            except (OSError, ValueError) as error:
                raise UserError(f"{path}: not a whole signatures file ({error})") from None
            if shape[0] != FIRST_BAND + settings.bands:
                raise UserError(
                    f"{path}: {shape[0] - FIRST_BAND} bands, deduplication.bands is "
                    f"{settings.bands}; sign again"
                )
            self._begins.append((begin, shape[1]))

    def counts(self) -> list[int]:
        """How many documents each file has."""
        return [count for _, count in self._begins]

    def row(self, number: int) -> np.ndarray:
        """Row ``number`` of all files, of the documents used: uint64[documents]."""
        pieces = [np.zeros(0, np.uint64)]
        for path, rows, (begin, count) in zip(self.paths, self.rows, self._begins, strict=True):
            offset = begin + 8 * count * number
            pieces.append(np.fromfile(path, np.uint64, count, offset=offset)[rows])
        return np.concatenate(pieces)
