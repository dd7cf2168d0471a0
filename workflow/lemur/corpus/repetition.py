"""How much of a text repeats itself: lines, paragraphs and runs of words (Gopher, Rae et al. 2021,
appendix A.1.1). Shares are of characters unless the name says lines; runs of n words are hashed
and counted as arrays, since nine passes over every word in Python would be slower than all else.
"""

from collections.abc import Sequence

import numpy as np

from lemur.data.shingles import Shingler, mixed

_SPACE = np.ones(256, bool)
_SPACE[list(b" \t\n\r\f\v")] = False
_SPLIT = Shingler(1, _SPACE, alone=False)


def repeated(pieces: Sequence[str]) -> tuple[float, float]:
    """(share of pieces, share of their characters) that occurred before in the text."""
    # All occurrences but one of each count, whichever that one is.
    once = set(pieces)
    if len(once) == len(pieces):
        return 0.0, 0.0
    every = sum(map(len, pieces))
    return (len(pieces) - len(once)) / len(pieces), (every - sum(map(len, once))) / max(1, every)


def _crowds(hashes: np.ndarray) -> np.ndarray:
    """How many of ``hashes`` (uint64[n]) share each one's bucket: at least how often it occurs."""
    bits = max(4, (4 * len(hashes)).bit_length())
    bucket = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    return np.bincount(bucket, minlength=1 << bits)[bucket]


def _commonest(hashes: np.ndarray) -> int:
    return int(np.unique(hashes, return_counts=True)[1].max())


class Runs:
    """The runs of words of one text; lengths are bytes without the white space between words."""

    def __init__(self, data: bytes):
        every = np.frombuffer(data, np.uint8)
        self.words, self.lengths, _ = _SPLIT.words(every, np.array([0, len(every)]))
        self.total = max(1, int(self.lengths.sum()))
        self._sums = np.concatenate([[0], np.cumsum(self.lengths)])
        self._hashes = {1: self.words}
        # Places whose run of that many words occurs more than once.
        self._repeated: dict[int, np.ndarray] = {}

    def _hashed(self, n: int) -> np.ndarray:
        if n not in self._hashes:
            shorter = self._hashed(n - 1)
            with np.errstate(over="ignore"):
                self._hashes[n] = mixed(shorter[:-1] * np.uint64(31) + self.words[n - 1 :])
        return self._hashes[n]

    def top(self, n: int) -> float:
        """Share of the characters that lie in the commonest run of ``n`` words."""
        if len(self.words) < n:
            return 0.0
        hashes = self._hashed(n)
        shared = _crowds(hashes)
        most = _commonest(hashes[shared == shared.max()])
        if most < 2:
            # Where the fullest bucket holds no repeated run another one may.
            most = _commonest(hashes[shared > 1]) if (shared > 1).any() else 1
        if most < 2:
            return 0.0
        # Whatever is as common lies in a bucket at least as full.
        places = np.flatnonzero(shared >= most)
        values, inverse, counts = np.unique(hashes[places], return_inverse=True, return_counts=True)
        most = int(counts.max())
        # Of several equally common ones, the longest.
        places = places[counts[inverse] == most]
        sums = self._sums
        return most * int((sums[places + n] - sums[places]).max()) / self.total

    def _twice(self, n: int) -> np.ndarray:
        if n not in self._repeated:
            hashes = self._hashed(n)
            # A run that occurs twice begins with a shorter one that does.
            places = self._repeated.get(n - 1)
            places = np.arange(len(hashes)) if places is None else places[places < len(hashes)]
            # A run that is alone in its bucket is alone.
            places = places[_crowds(hashes[places]) > 1]
            window_hashes = hashes[places]
            order = np.argsort(window_hashes, kind="stable")
            same = window_hashes[order][1:] == window_hashes[order][:-1]
            again = np.zeros(len(window_hashes), bool)
            again[order[1:][same]] = again[order[:-1][same]] = True
            self._repeated[n] = places[again]
        return self._repeated[n]

    def duplicated(self, n: int) -> float:
        """Share of the characters that lie in any run of ``n`` words that occurs more than once."""
        if len(self.words) < n:
            return 0.0
        places = self._twice(n)
        if not len(places):
            return 0.0
        covered = np.zeros(len(self.words) + 1, np.int64)
        covered[places] += 1
        np.add.at(covered, places + n, -1)
        return int(self.lengths[np.cumsum(covered)[:-1] > 0].sum()) / self.total
