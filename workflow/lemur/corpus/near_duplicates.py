"""Near-duplicates: pairs whose shingles agree by at least a Jaccard index, closed transitively.

Bands of MinHash signatures (locality-sensitive hashing) propose pairs; a pair counts when the exact
Jaccard index of the two sets of shingles reaches the threshold, so that precision is 1 and only
recall is a matter of chance: at 0.85, 256 permutations in 32 bands of 8 miss a pair with
probability 0.00004. What is found depends on the documents alone, since the connected components of
a graph do not depend on the order in which edges are looked at.

Where many documents share a band and are yet no duplicates (one form letter, one generated file),
comparing all with all would take for ever. There each is compared with its neighbours alone, in an
order by size and signature, which is the same for any order of files and any number of parts.

The shingles of proposed documents wait in a temporary file, not in memory.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from lemur.core.progress import Progress
from lemur.corpus.signatures import COUNT, FIRST_BAND, WHOLE, Settings, Signatures, texts
from lemur.data.shingles import Shingler

# Documents of one bucket beyond which each meets only so many neighbours.
NEIGHBOURS = 64
# Refused pairs that are remembered, so that another band does not compare them again.
_REMEMBERED = 1_000_000


class Documents:
    """The compared documents, numbered through: document k is row ``rows[k]`` of ``files[k]``."""

    def __init__(self, paths: Sequence[Path], rows: Sequence[np.ndarray], width: int):
        self.paths, self._rows = list(paths), [np.asarray(row, np.int64) for row in rows]
        sizes = [len(row) for row in self._rows]
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
                for data, offsets in texts(path, self._rows[file][numbers - low]):
                    mine = numbers[at : at + len(offsets) - 1]
                    at += len(mine)
                    yield mine, *self._shingler.hash_shingles(data, offsets)
                progress.add(1, path.parent.name)


class Near:
    """The clusters of ``documents``; ``folder`` takes the temporary file."""

    def __init__(
        self, documents: Documents, signatures: Signatures, settings: Settings, folder: Path
    ):
        self.documents, self.signatures, self.settings = documents, signatures, settings
        self.compared = self.accepted = self.crowded = 0
        self._parent = np.arange(documents.count)
        self._refused: set[tuple[int, int]] = set()
        # Shingles; of a proposed document the distinct ones.
        self._size = signatures.row(COUNT).astype(np.int64)
        self._whole = signatures.row(WHOLE)
        self._file: IO[bytes] = (folder / "shingles").open("w+b")
        self._spool()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Near":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _buckets(self) -> Iterator[np.ndarray]:
        """Documents (ascending numbers) that share a whole band, band after band."""
        worded = np.flatnonzero(self._size)
        for band in range(self.settings.bands):
            keys = self.signatures.row(FIRST_BAND + band)[worded]
            by_key = np.argsort(keys, kind="stable")
            keys = keys[by_key]
            ends = np.flatnonzero(np.diff(keys)) + 1
            starts = np.concatenate([[0], ends])
            ends = np.concatenate([ends, [len(keys)]])
            for at in np.flatnonzero(ends - starts > 1):
                yield worded[by_key[starts[at] : ends[at]]]

    def _spool(self) -> None:
        """Write the sorted distinct shingles of every document that shares a band with another."""
        proposed = np.zeros(self.documents.count, bool)
        for bucket in self._buckets():
            proposed[bucket] = True
        self._start = np.zeros(self.documents.count, np.int64)
        at = 0
        for numbers, hashes, offsets in self.documents.shingles(proposed, "candidates"):
            for number, begin, end in zip(numbers, offsets[:-1], offsets[1:], strict=True):
                distinct = np.unique(hashes[begin:end])
                self._file.write(distinct.tobytes())
                self._start[number], self._size[number] = at, len(distinct)
                at += len(distinct)
        self._file.flush()

    def _shingles(self, number: int) -> np.ndarray:
        # Read, not mapped: mapped pages would count as this process' memory.
        size = 8 * int(self._size[number])
        return np.frombuffer(
            os.pread(self._file.fileno(), size, 8 * int(self._start[number])), np.uint64
        )

    def jaccard(self, first: int, other: int) -> float:
        """The exact index of two proposed documents' sets of shingles."""
        a, b = sorted((self._shingles(first), self._shingles(other)), key=len)
        places = np.minimum(np.searchsorted(b, a), len(b) - 1)
        common = int(np.count_nonzero(b[places] == a))
        return common / (len(a) + len(b) - common)

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = int(parent[number])
        return number

    def _compare(self, first: int, other: int) -> None:
        """Join the clusters of two documents if they are near and not yet in one."""
        root, other_root = self._root(first), self._root(other)
        pair = (min(first, other), max(first, other))
        if root == other_root or pair in self._refused:
            return
        self.compared += 1
        if self.jaccard(first, other) >= self.settings.jaccard:
            self.accepted += 1
            self._parent[max(root, other_root)] = min(root, other_root)
        else:
            if len(self._refused) >= _REMEMBERED:
                self._refused.clear()
            self._refused.add(pair)

    def clusters(self) -> list[list[int]]:
        """Every cluster of at least two documents, ascending, sorted by its first."""
        for bucket in self._buckets():
            if len({self._root(number) for number in bucket.tolist()}) == 1:
                continue
            # Sets of unlike sizes cannot be alike, so whoever is near stands near in this order.
            bucket = bucket[np.lexsort((self._whole[bucket], self._size[bucket]))]
            sizes = self._size[bucket]
            largest = sizes / self.settings.jaccard * (1 + 1e-9)
            reach = np.searchsorted(sizes, largest, side="right")
            if len(bucket) > NEIGHBOURS:
                self.crowded += 1
                reach = np.minimum(reach, np.arange(len(bucket)) + 1 + NEIGHBOURS)
            members = bucket.tolist()
            for at, end in enumerate(reach.tolist()):
                for other in range(at + 1, end):
                    self._compare(members[at], members[other])
        found: dict[int, list[int]] = {}
        for number in np.flatnonzero(self._size):
            root = self._root(int(number))
            if root != number:
                found.setdefault(root, [root]).append(int(number))
        return sorted(found.values())
