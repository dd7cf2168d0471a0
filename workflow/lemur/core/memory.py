"""Memory that a stage has freed goes back to the system, so that its peak does not grow with its input.

A long run over documents of all lengths leaves holes between what it keeps; the C library fills them
again only in part and by itself hardly ever gives whole pages back.
"""

import ctypes
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# Bytes worked through between two returns: one costs a millisecond or two.
_EVERY = 16_000_000


@functools.cache
def _returning() -> Callable[[int], int] | None:
    """glibc's ``malloc_trim``; None with another C library, where nothing is done."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None


class Returned:
    """``add(bytes)`` what was worked through; now and then freed memory is given back."""

    def __init__(self, every: int = _EVERY):
        self.every, self.since = every, 0

    def add(self, size: int) -> None:
        self.since += size
        if self.since >= self.every:
            self.since = 0
            give = _returning()
            if give is not None:
                give(0)


class Worker:
    """Calls in a thread that is replaced now and then: what a library keeps a thread goes with it.

    ``fastokens`` remembers every word that a thread has met, and a corpus never runs out of new ones.
    """

    def __init__(self, every: int = _EVERY):
        self.every, self.since = every, 0
        self._thread = ThreadPoolExecutor(1)

    def run(self, call: Callable[[], T], size: int) -> T:
        """What ``call`` returns or raises; ``size`` bytes are worked through by it."""
        if self.since >= self.every:
            self._thread.shutdown()
            self._thread, self.since = ThreadPoolExecutor(1), 0
        self.since += size
        return self._thread.submit(call).result()
