"""Shingles: the runs of consecutive tokens by which two documents are compared, as 64-bit hashes.

A token is a word (a run of letters, digits, underscores and characters beyond ASCII, as it stands)
or a run of operator signs: ``a + b`` and ``a - b`` are different programs, while blanks, brackets,
quotes and commas are left to the formatter. Of scripts that are written without blanks between
words (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan) every character is a token, as in
character n-grams; else a whole line would be one word. A shingle is ``width`` consecutive tokens; a
document with fewer has one shingle, all of its tokens. Everything is array steps over the bytes of
many documents at once: no token becomes a Python object.
"""

import numpy as np

_BETWEEN, _WORD, _OPERATOR = 0, 1, 2
OPERATORS = b"+-*/%&|^~<>=!?@"
WORDS = np.array(
    [_WORD if b >= 128 or chr(b).isalnum() or b == ord("_") else _BETWEEN for b in range(256)],
    np.uint8,
)
WORDS_AND_OPERATORS = WORDS.copy()
WORDS_AND_OPERATORS[list(OPERATORS)] = _OPERATOR
# The characters that are tokens by themselves, as a class for a regular expression: Thai, Lao and
# Tibetan; Burmese; Khmer; Chinese and Japanese with their compatibility and wide forms; and all
# beyond U+FFFF, where more of Chinese is.
ALONE = (
    "\u0e00-\u0fff\u1000-\u10bf\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffff"
    "\U00010000-\U0010ffff"
)
# The same as UTF-8: the length of such a character by its first byte, and of those whose first byte
# others have too the second bytes.
_FIRST_ALONE = 0xE0
_ALONE = np.zeros(256, np.int64)
_ALONE[[0xE0, 0xE1, 0xE2, *range(0xE3, 0xEA), 0xEF]] = 3
_ALONE[0xF0:0xF5] = 4
_SECOND = {
    0xE0: range(0xB8, 0xC0),
    0xE1: (0x80, 0x81, 0x82, 0x9E, 0x9F),
    0xE2: range(0xBA, 0xC0),
    0xEF: (*range(0xA4, 0xAC), *range(0xBC, 0xC0)),
}
_SECONDS = np.ones((256, 256), bool)
for _first, _seconds in _SECOND.items():
    _SECONDS[_first] = False
    _SECONDS[_first, list(_seconds)] = True
# Odd, hence invertible modulo 2^64: a word's hash is cut out of a running sum and scaled back.
_BASE = 0x9E3779B97F4A7C15
_STEP = np.uint64(0xD6E8FEB86659FD93)


class Shingler:
    """``hash_shingles(data, offsets)`` for documents that lie one after the other in one array of bytes.

    ``kinds``: uint8[256], what a byte belongs to; a token is a run of bytes of one kind that is not
    0. ``alone``: whether characters of scripts without blanks are tokens by themselves.
    """

    def __init__(self, width: int, kinds: np.ndarray = WORDS_AND_OPERATORS, alone: bool = True):
        self.width, self._kinds, self._alone = width, kinds, alone
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
        """(uint64 hash a token, its length in bytes, how many tokens a document)."""
        self._reach(len(data))
        with np.errstate(over="ignore"):
            return self._words(data, offsets)

    def _words(
        self, data: np.ndarray, offsets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        kind = self._kinds[data]
        token = kind != _BETWEEN
        starts, ends = token.copy(), token.copy()
        changes = kind[1:] != kind[:-1]
        starts[1:] &= changes
        ends[:-1] &= changes
        # A token ends with its document, whatever the next one begins with.
        edges = offsets[(offsets > 0) & (offsets < len(data))]
        starts[edges] = token[edges]
        ends[edges - 1] = token[edges - 1]
        if self._alone:
            _split(data, token, starts, ends)
        first, last = np.flatnonzero(starts), np.flatnonzero(ends)
        sums = np.cumsum((data.astype(np.uint64) + np.uint64(1)) * self._powers[: len(data)])
        before = np.where(first > 0, sums[np.maximum(first, 1) - 1], np.uint64(0))
        hashes = (sums[last] - before) * self._inverses[first]
        lengths = last - first + 1
        counts = np.diff(np.searchsorted(first, offsets))
        return mixed(hashes + lengths.astype(np.uint64)), lengths, counts

    def hash_shingles(self, data: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def _split(data: np.ndarray, token: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> None:
    """Mark where each character that is a token of its own begins and ends."""
    at = np.flatnonzero(data >= _FIRST_ALONE)
    if not len(at):
        return
    following = data[np.minimum(at + 1, len(data) - 1)]
    at = at[(_ALONE[data[at]] > 0) & _SECONDS[data[at], following]]
    after = at + _ALONE[data[at]]
    starts[at], ends[after - 1] = True, True
    before, after = at[at > 0] - 1, after[after < len(data)]
    ends[before], starts[after] = token[before], token[after]


def mixed(values: np.ndarray) -> np.ndarray:
    """Values spread over 64 bits (the finalizer of splitmix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
