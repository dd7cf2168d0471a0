"""Documents that share a run of words with a benchmark problem, and the words they share.

A word is a run of letters, digits and underscores, lower-cased; of scripts without blanks between
words every character is one. A document is dropped when it has
``text_ngram`` consecutive words of a problem in prose, or ``code_ngram`` of a problem in code
(13 and 10: the first is GPT-3's rule, Brown et al. 2020 appendix C; code prompts are shorter).
Runs in which fewer than half of the words are distinct words of two characters or more, numbers
left out, do not count: they are ``1, 2, 3``, ``a b c d`` and ``self, x, self, y``, which any two
files share.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lemur.data.shingles import ALONE, WORDS, Shingler
from lemur.mixture.benchmark_texts import Problem


@dataclass(frozen=True)
class DecontaminateSpec:
    """``--spec``: with which benchmarks documents are compared, and runs of how many words count."""

    benchmarks: tuple[str, ...]
    text_ngram: int
    code_ngram: int


# A sign of such a script (a full-width comma, an emoji) is none.
WORD = re.compile(rf"(?=\w)[{ALONE}]|(?:(?![{ALONE}])\w)+")
# Beyond ASCII what is no word: taken out, so that words can be told by bytes.
_BETWEEN = re.compile(r"[^\w\x00-\x7f]+")
# Bytes of text looked at together: few enough for a processor's cache.
_GROUP = 1 << 18
_BITS = 20
_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Match:
    """The first run of a problem's words found in a document."""

    benchmark: str
    item: str
    matched: str


def _telling(words: Sequence[str]) -> bool:
    informative = {
        word for word in words if (len(word) > 1 or not word.isascii()) and not word.isdigit()
    }
    return 2 * len(informative) >= len(words)


def _hashes(columns: Sequence[np.ndarray]) -> np.ndarray:
    """A 64-bit hash a run, from its first, second, ... word numbers (each uint64[runs])."""
    made = np.zeros(len(columns[0]), np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            made = made * _BASE + column
        return made ^ (made >> np.uint64(29))


def _bucket(hashes: np.ndarray) -> np.ndarray:
    return (hashes >> np.uint64(64 - _BITS)).astype(np.int64)


class Index:
    """All counted runs of words of a set of problems; looking one document up is a few array steps.

    Words that stand in no benchmark are one number, 0, and a window that holds one cannot match,
    so nearly all of a document is put aside before any string is compared. Hash collisions are
    ruled out by comparing the words themselves.
    """

    def __init__(self, problems: Iterable[Problem], text_ngram: int, code_ngram: int):
        self.vocabulary: dict[str, int] = {}
        self.runs: dict[int, dict[tuple[str, ...], list[tuple[str, str]]]] = {}
        for problem in problems:
            n = code_ngram if problem.code else text_ngram
            runs = self.runs.setdefault(n, {})
            for statement in problem.statements:
                words = WORD.findall(statement.lower())
                for start in range(len(words) - n + 1):
                    run = tuple(words[start : start + n])
                    if _telling(run):
                        owners = runs.setdefault(run, [])
                        if (problem.benchmark, problem.item) not in owners:
                            owners.append((problem.benchmark, problem.item))
                        for word in run:
                            self.vocabulary.setdefault(word, len(self.vocabulary) + 1)
        self.hashes: dict[int, np.ndarray] = {}
        for n, runs in self.runs.items():
            table = self._numbers([word for run in runs for word in run]).reshape(-1, n)
            self.hashes[n] = np.unique(_hashes([table[:, k] for k in range(n)]))
        self._split = Shingler(1, WORDS)
        self._tables = {n: self._table(n, list(runs)) for n, runs in self.runs.items() if runs}

    def _table(self, n: int, runs: Sequence[tuple[str, ...]]) -> tuple[np.ndarray, np.ndarray]:
        """Sorted hashes of all runs of ``n`` words, and bool[2^20]: the buckets they fall into."""
        words, _ = self._words(["\n".join(" ".join(run) for run in runs)])
        hashes = np.sort(_hashes([words.reshape(-1, n)[:, k] for k in range(n)]))
        made = np.zeros(1 << _BITS, bool)
        made[_bucket(hashes)] = True
        return hashes, made

    def _words(self, lowered: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """(uint64 hash a word, words a text): the words that ``WORD`` finds, none of them made."""
        plain = [x if x.isascii() else _BETWEEN.sub(" ", x) for x in lowered]
        coded = [x.encode("utf-8", "surrogatepass") for x in plain]
        offsets = np.concatenate([[0], np.cumsum([len(x) for x in coded])]).astype(np.int64)
        words, _, counts = self._split.words(np.frombuffer(b"".join(coded), np.uint8), offsets)
        return words, counts

    def suspects(self, texts: Sequence[str]) -> list[int]:
        """Which of ``texts`` may overlap, ascending: all that do, and hardly another."""
        found: set[int] = set()
        first = 0
        while first < len(texts):
            size, end = len(texts[first]), first + 1
            while end < len(texts) and size + len(texts[end]) <= _GROUP:
                size, end = size + len(texts[end]), end + 1
            words, counts = self._words([text.lower() for text in texts[first:end]])
            ends = np.cumsum(counts)
            for n, (known, table) in self._tables.items():
                if len(words) >= n:
                    last = len(words) - n + 1
                    hashes = _hashes([words[k : k + last] for k in range(n)])
                    places = np.flatnonzero(table[_bucket(hashes)])
                    near = np.minimum(np.searchsorted(known, hashes[places]), len(known) - 1)
                    places = places[known[near] == hashes[places]]
                    found.update((first + np.searchsorted(ends, places, side="right")).tolist())
            first = end
        return sorted(found)

    def _numbers(self, words: Sequence[str]) -> np.ndarray:
        get = self.vocabulary.get
        return np.fromiter((get(word, 0) for word in words), np.uint64, len(words))

    def matches(self, text: str) -> Iterator[Match]:
        """Every (benchmark, problem) that ``text`` overlaps, once each, in order of appearance."""
        words = WORD.findall(text.lower())
        numbers = self._numbers(words)
        # known[i]: how many of the first i words a benchmark knows.
        known = np.concatenate([[0], np.cumsum(numbers > 0)])
        seen: set[tuple[str, str]] = set()
        for n, hashes in sorted(self.hashes.items()):
            if len(words) < n or not len(hashes):
                continue
            starts = np.flatnonzero(known[n:] - known[:-n] == n)
            if not len(starts):
                continue
            values = _hashes([numbers[starts + k] for k in range(n)])
            places = np.minimum(np.searchsorted(hashes, values), len(hashes) - 1)
            for start in starts[hashes[places] == values]:
                run = tuple(words[start : start + n])
                for owner in self.runs[n].get(run, ()):
                    if owner not in seen:
                        seen.add(owner)
                        yield Match(*owner, " ".join(run))
