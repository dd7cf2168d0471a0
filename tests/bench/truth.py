"""Which documents really are near-duplicates: every pair's exact Jaccard index, no sketch.

Two sets with an index of at least t share one of their ceil((1 - t) n) + 1 rarest members, in any
fixed order of rarity (prefix filtering, Bayardo et al. 2007), so that no pair is left out.
"""

import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from lemur.corpus.near_duplicates import Documents


def shingles(paths: list[Path], width: int) -> list[np.ndarray]:
    """The sorted distinct shingles (uint64) of every document, file after file."""
    import pyarrow.parquet as pq

    rows = [np.arange(pq.read_metadata(path).num_rows) for path in paths]
    found = []
    for _, hashes, offsets in Documents(paths, rows, width).shingles(None, "truth"):
        found += [np.unique(hashes[a:b]) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    return found


def pairs(sets: list[np.ndarray], least: float) -> list[tuple[int, int]]:
    """All (smaller, larger) numbers of documents whose index is at least ``least``."""
    values, counts = np.unique(np.concatenate(sets), return_counts=True)
    by_member: dict[int, list[int]] = defaultdict(list)
    found = []
    for number, set in enumerate(sets):
        rarity = counts[np.searchsorted(values, set)]
        reach = len(set) - math.ceil(least * len(set)) + 1
        prefix = set[np.lexsort((set, rarity))[:reach]]
        # A member that stands nowhere else joins no two documents.
        prefix = prefix[counts[np.searchsorted(values, prefix)] > 1].tolist()
        for other in {k for member in prefix for k in by_member[member]}:
            small, large = sorted((len(set), len(sets[other])))
            if small < least * large:
                continue
            common = len(np.intersect1d(set, sets[other], assume_unique=True))
            if common >= least * (small + large - common):
                found.append((other, number))
        for member in prefix:
            by_member[member].append(number)
    return found


def roots(count: int, joined: list[tuple[int, int]]) -> list[int]:
    """Each document's cluster, by the smallest number in it."""
    parent = list(range(count))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in joined:
        a, b = sorted((root(a), root(b)))
        parent[b] = a
    return [root(k) for k in range(count)]
