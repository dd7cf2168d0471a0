"""Which runs of which documents make up the sequences of one source."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Runs:
    """Runs of documents grouped into sequences.

    ``document`` (int64) is a position in the list of lengths given, ``start`` (int64) where in that
    document the run begins, ``length`` (int64) its tokens, and the runs
    ``sequence[k]:sequence[k + 1]`` (int64[sequences + 1]) make up sequence k.
    """

    document: np.ndarray
    start: np.ndarray
    length: np.ndarray
    sequence: np.ndarray

    def take(self, chosen: np.ndarray) -> "Runs":
        """Only the sequences ``chosen``, in that order."""
        counts = np.diff(self.sequence)[chosen]
        bounds = np.concatenate([[0], np.cumsum(counts)])
        runs = np.repeat(self.sequence[:-1][chosen] - bounds[:-1], counts) + np.arange(bounds[-1])
        return Runs(self.document[runs], self.start[runs], self.length[runs], bounds)


def concatenate(lengths: np.ndarray, sequences: int, context: int) -> Runs:
    """Cut the documents, laid end to end in the order given, into ``sequences`` of ``context``.

    No token is padding; a document that reaches past a sequence's end goes on in the next one.
    The documents must hold ``sequences * context`` tokens; what lies behind that is not used.
    """
    total = sequences * context
    begins = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    if begins[-1] < total:
        raise ValueError(f"{begins[-1]} tokens are fewer than {total}")
    inside = begins[: np.searchsorted(begins, total)]
    cuts = np.union1d(inside, np.arange(0, total, context, dtype=np.int64))
    # The last document that begins at a cut: one of no tokens begins there too and has no run.
    document = np.searchsorted(begins, cuts, side="right") - 1
    return Runs(
        document,
        cuts - begins[document],
        np.diff(np.append(cuts, total)),
        np.searchsorted(cuts, np.arange(sequences + 1, dtype=np.int64) * context),
    )


def pieces(lengths: np.ndarray, context: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(document, start, length) of runs of at most ``context`` that together are all documents."""
    lengths = np.asarray(lengths, np.int64)
    counts = -(-lengths // context)
    document = np.repeat(np.arange(len(lengths)), counts)
    firsts = np.repeat(np.cumsum(counts) - counts, counts)
    start = (np.arange(len(document)) - firsts) * context
    return document, start, np.minimum(lengths[document] - start, context)


def best_fit(lengths: np.ndarray, context: int) -> Runs:
    """Best-fit decreasing (Ding et al. 2024, "Fewer Truncations Improve Language Modeling").

    Documents longer than ``context`` are cut into whole sequences and a rest; every run, longest
    first, goes into the sequence that it fills best. Every token is in exactly one sequence; room
    that stays empty is padding. About a microsecond a run, and one byte of state a sequence's rest.
    """
    document, start, length = pieces(lengths, context)
    longest_first = np.argsort(-length, kind="stable")
    rooms: list[list[int]] = [[] for _ in range(context + 1)]  # open sequences by room left
    open_rooms = 0  # bit r is set where rooms[r] is not empty
    placed = np.zeros(len(length), np.int64)
    count = 0
    for run in longest_first.tolist():
        size = int(length[run])
        fitting = open_rooms >> size
        if fitting:
            room = size + (fitting & -fitting).bit_length() - 1
            sequence = rooms[room].pop()
            if not rooms[room]:
                open_rooms &= ~(1 << room)
        else:
            room, sequence, count = context, count, count + 1
        placed[run] = sequence
        if room > size:
            rooms[room - size].append(sequence)
            open_rooms |= 1 << (room - size)
    by_sequence = np.lexsort((np.arange(len(placed)), placed))
    return Runs(
        document[by_sequence],
        start[by_sequence],
        length[by_sequence],
        np.searchsorted(placed[by_sequence], np.arange(count + 1)),
    )
