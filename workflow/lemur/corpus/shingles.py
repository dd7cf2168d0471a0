"""Shingles: the runs of consecutive words by which two documents are compared, as 64-bit hashes.

A word is a run of letters, digits, underscores and bytes beyond ASCII, as it stands. A shingle is
``width`` consecutive words; a document with fewer has one shingle, all of its words. Everything is
array steps over the bytes of many documents at once: no word becomes a Python object.
"""

import numpy as np

_WORD = np.zeros(256, bool)
_WORD[[b for b in range(256) if b >= 128 or chr(b).isalnum() or b == ord("_")]] = True
# Odd, hence invertible modulo 2^64: a word's hash is cut out of a running sum and scaled back.
_BASE = 0x9E3779B97F4A7C15
_STEP = np.uint64(0xD6E8FEB86659FD93)


class Shingler:
    """``of(data, offsets)`` for documents that lie one after the other in one array of bytes.

    ``table``: bool[256], the bytes that words are made of.
    """

    def __init__(self, width: int, table: np.ndarray = _WORD):
        self.width, self.table = width, table
        self._powers = self._inverses = np.empty(0, np.uint64)

    def _reach(self, size: int) -> None:
        if size <= len(self._powers):
            return
        size = 1 << max(18, (size - 1).bit_length())
        with np.errstate(over="ignore"):
            for name, base in (("_powers", _BASE), ("_inverses", pow(_BASE, -1, 1 << 64))):
                steps = np.full(size, base, np.uint64)
                steps[0] = 1
                setattr(self, name, np.multiply.accumulate(steps))

    def words(
        self, data: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(uint64 hash a word, its length in bytes, how many words a document)."""
        self._reach(len(data))
        with np.errstate(over="ignore"):
            return self._words(data, offsets)

    def _words(
        self, data: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        word = self.table[data]
        starts, ends = word.copy(), word.copy()
        starts[1:] &= ~word[:-1]
        ends[:-1] &= ~word[1:]
        # A word ends with its document, whatever the next one begins with.
        edges = offsets[(offsets > 0) & (offsets < len(data))]
        starts[edges] = word[edges]
        ends[edges - 1] = word[edges - 1]
        first, last = np.flatnonzero(starts), np.flatnonzero(ends)
        sums = np.cumsum((data.astype(np.uint64) + np.uint64(1)) * self._powers[: len(data)])
        before = np.where(first > 0, sums[np.maximum(first, 1) - 1], np.uint64(0))
        hashes = (sums[last] - before) * self._inverses[first]
        lengths = last - first + 1
        counts = np.diff(np.searchsorted(first, offsets))
        return mixed(hashes + lengths.astype(np.uint64)), lengths, counts

    def of(self, data: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(uint64 hashes of all shingles, int64[documents + 1] where each document's begin).

        ``data`` uint8, ``offsets`` int64[documents + 1] into it, ascending from 0 to its length.
        """
        offsets = np.asarray(offsets, np.int64)
        self._reach(len(data))
        with np.errstate(over="ignore"):
            words, _, counts = self._words(data, offsets)
            padded = np.concatenate([words, np.zeros(self.width - 1, np.uint64)])
            runs = np.zeros(len(words), np.uint64)
            for shift in range(self.width):
                runs = runs * _STEP + padded[shift : shift + len(words)]
            ends = np.cumsum(counts)
            begins = ends - counts
            # Left in its document: how many words follow from here on.
            left = np.repeat(ends, counts) - np.arange(len(words))
            keep = left >= self.width
            for number in np.flatnonzero((counts > 0) & (counts < self.width)):
                begin, total = int(begins[number]), np.uint64(0)
                for value in words[begin : int(ends[number])]:
                    total = total * _STEP + value
                runs[begin], keep[begin] = total, True
            made = np.where(counts >= self.width, counts - self.width + 1, np.minimum(counts, 1))
            return mixed(runs[keep]), np.concatenate([[0], np.cumsum(made)])


def mixed(values: np.ndarray) -> np.ndarray:
    """Values spread over 64 bits (the finalizer of splitmix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
