"""Near-duplicates: pairs whose shingles agree by at least a Jaccard index, closed transitively.

MinHash signatures (rensa) and bands of them (locality-sensitive hashing) propose pairs; a pair
counts when the exact Jaccard index of the two sets of shingles reaches the threshold, so that
precision is 1 and only recall is a matter of chance: at 0.85, 256 permutations in 32 bands of 8
miss a pair with probability 0.00004. What is found depends on the documents alone, since the
connected components of a graph do not depend on the order in which edges are looked at.

Signatures and the shingles of proposed documents wait in temporary files, not in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rensa

from lemur.corpus.shingles import Shingler, mixed
from lemur.errors import UserError, nearest
from lemur.progress import Progress

# Changes every signature, and by the luck of the draw the pairs that bands propose.
_SEED = 2310
# Bytes of text whose arrays are worked on at once; small enough to stay in a processor's cache.
_GROUP = 1 << 18
# How far an estimate over all permutations may lie under the threshold and still be checked
# exactly: more than four standard deviations at 128 permutations.
_MARGIN = 0.13


@dataclass(frozen=True)
class Settings:
    """``jaccard`` 0 to 1; ``shingle`` words; ``permutations`` in ``bands`` of equal length."""

    jaccard: float
    shingle: int
    permutations: int
    bands: int

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Settings":
        """From a corpus file's ``deduplication``; ``UserError`` for what cannot be computed."""
        known = cls.__dataclass_fields__
        for key in values:
            if key not in known:
                raise UserError(f"deduplication.{key} is unknown{nearest(key, known)}")
        for key in known:
            if key not in values:
                raise UserError(f"deduplication.{key} is missing")
        made = cls(**values)
        if not 0 < made.jaccard <= 1:
            raise UserError(f"deduplication.jaccard is {made.jaccard}: more than 0, at most 1")
        if made.shingle < 1 or made.permutations < 1 or made.bands < 1:
            raise UserError("deduplication: shingle, permutations and bands are at least 1")
        if made.permutations % made.bands:
            raise UserError(
                f"deduplication.permutations: {made.permutations} is no multiple of "
                f"bands {made.bands}"
            )
        return made


def _texts(path: Path, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(bytes, offsets) of groups of the documents in ``rows`` (ascending), in their order."""
    with pq.ParquetFile(path) as file:
        first = 0
        for batch in file.iter_batches(batch_size=512, columns=["text"]):
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


class Documents:
    """The compared documents, numbered through: document k is row ``rows[k]`` of ``files[k]``."""

    def __init__(self, paths: Sequence[Path], rows: Sequence[np.ndarray], width: int):
        self.paths, self._rows = list(paths), [np.asarray(one, np.int64) for one in rows]
        sizes = [len(one) for one in self._rows]
        self.first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.count = int(self.first[-1])
        self._shingler = Shingler(width)

    def place(self, number: int) -> tuple[int, int]:
        """(number of the file in ``paths``, row) of a document."""
        file = int(np.searchsorted(self.first, number, side="right")) - 1
        return file, int(self._rows[file][number - self.first[file]])

    def shingles(
        self, chosen: np.ndarray | None, label: str
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """(document numbers, hashes, where each one's begin) of all documents or the chosen."""
        with Progress(label, len(self.paths), "parts") as progress:
            for file, path in enumerate(self.paths):
                low, high = self.first[file], self.first[file + 1]
                numbers = np.arange(low, high)
                if chosen is not None:
                    numbers = numbers[chosen[low:high]]
                at = 0
                for data, offsets in _texts(path, self._rows[file][numbers - low]):
                    mine = numbers[at : at + len(offsets) - 1]
                    at += len(mine)
                    yield mine, *self._shingler.of(data, offsets)
                progress.add(1, path.parent.name)


class Near:
    """The clusters of ``documents``; ``folder`` takes the temporary files."""

    def __init__(self, documents: Documents, settings: Settings, folder: Path):
        self.documents, self.settings, self.folder = documents, settings, folder
        self.compared = self.accepted = 0
        self._signatures = self._sign()
        self._spool()
        self._parent = np.arange(documents.count)

    def _sign(self) -> np.ndarray:
        """uint32[documents, permutations]; a document without a word is told by ``_empty``."""
        count, width = self.documents.count, self.settings.permutations
        self._empty = np.zeros(count, bool)
        if not count:
            return np.zeros((0, width), np.uint32)
        made = np.memmap(self.folder / "signatures", np.uint32, "w+", shape=(count, width))
        for numbers, hashes, offsets in self.documents.shingles(None, "signatures"):
            rows = rensa.RMinHash.digest_matrix_from_flat_token_hashes(
                hashes, offsets.astype(np.uint64), width, _SEED
            )
            made[numbers] = np.array(rows.to_rows(), np.uint32)
            self._empty[numbers] = np.diff(offsets) == 0
        return made

    def _buckets(self) -> Iterator[np.ndarray]:
        """Documents (ascending numbers) that share a whole band, band after band."""
        length = self.settings.permutations // self.settings.bands
        for band in range(self.settings.bands):
            columns = self._signatures[:, band * length : (band + 1) * length]
            keys = np.zeros(self.documents.count, np.uint64)
            with np.errstate(over="ignore"):
                for column in range(length):
                    keys = mixed(keys + columns[:, column] + np.uint64(1))
            keys, order = keys[~self._empty], np.flatnonzero(~self._empty)
            by_key = np.argsort(keys, kind="stable")
            ends = np.flatnonzero(np.diff(keys[by_key])) + 1
            starts = np.concatenate([[0], ends])
            ends = np.concatenate([ends, [len(keys)]])
            for at in np.flatnonzero(ends - starts > 1):
                yield order[by_key[starts[at] : ends[at]]]

    def _spool(self) -> None:
        """Write the sorted distinct shingles of every document that shares a band with another."""
        proposed = np.zeros(self.documents.count, bool)
        for bucket in self._buckets():
            proposed[bucket] = True
        self._start = np.zeros(self.documents.count, np.int64)
        self._length = np.zeros(self.documents.count, np.int64)
        at = 0
        with open(self.folder / "shingles", "wb") as file:
            for numbers, hashes, offsets in self.documents.shingles(proposed, "candidates"):
                for number, begin, end in zip(numbers, offsets[:-1], offsets[1:], strict=True):
                    distinct = np.unique(hashes[begin:end])
                    file.write(distinct.tobytes())
                    self._start[number], self._length[number] = at, len(distinct)
                    at += len(distinct)
        empty = np.empty(0, np.uint64)
        self._shingles = np.memmap(self.folder / "shingles", np.uint64, "r") if at else empty

    def jaccard(self, one: int, other: int) -> float:
        """The exact index of two proposed documents' sets of shingles."""
        small, large = sorted((one, other), key=lambda number: self._length[number])
        a, b = (
            self._shingles[self._start[n] : self._start[n] + self._length[n]]
            for n in (small, large)
        )
        places = np.minimum(np.searchsorted(b, a), len(b) - 1)
        common = int(np.count_nonzero(b[places] == a))
        return common / (len(a) + len(b) - common)

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = int(parent[number])
        return number

    def clusters(self) -> list[list[int]]:
        """Every cluster of at least two documents, ascending, sorted by its first."""
        threshold = self.settings.jaccard
        refused: set[tuple[int, int]] = set()
        for bucket in self._buckets():
            members = [int(number) for number in bucket]
            roots = np.array([self._root(number) for number in members])
            at = 0
            # All of one cluster: no pair of this bucket could change anything.
            while at < len(members) - 1 and (roots[at:] != roots[at]).any():
                others = at + 1 + np.flatnonzero(roots[at + 1 :] != roots[at])
                joined = self.accepted
                alike = self._signatures[bucket[others]] == self._signatures[members[at]]
                for place in others[alike.mean(axis=1) >= threshold - _MARGIN]:
                    pair = (members[at], members[int(place)])
                    mine, its = self._root(pair[0]), self._root(pair[1])
                    if mine == its or pair in refused:
                        continue
                    self.compared += 1
                    if self.jaccard(*pair) >= threshold:
                        self.accepted += 1
                        self._parent[max(mine, its)] = min(mine, its)
                    else:
                        refused.add(pair)
                if self.accepted > joined:
                    roots = np.array([self._root(number) for number in members])
                at += 1
        found: dict[int, list[int]] = {}
        for number in np.flatnonzero(self._length):
            found.setdefault(self._root(int(number)), []).append(int(number))
        return sorted(group for group in found.values() if len(group) > 1)
