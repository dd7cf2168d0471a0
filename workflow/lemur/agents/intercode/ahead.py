"""The shell of an episode's next action, started while the model thinks of it.

Nearly all that an action takes is the start of its sandbox and of Python in there, and neither needs to
know the action. A shell that waits holds nothing of the episode and takes one action, as any other.
"""

import functools
from concurrent.futures import Future, ThreadPoolExecutor

from lemur.agents.environment import WorldFailed
from lemur.agents.intercode import shell


@functools.cache
def _starter() -> ThreadPoolExecutor:
    """One thread that lives as long as this process: bubblewrap ends with the thread that started it."""
    return ThreadPoolExecutor(1, thread_name_prefix="shells")


class Ahead:
    """At most one shell that waits."""

    def __init__(self) -> None:
        self._next: Future[shell.Started] | None = None

    def start(self) -> None:
        """Begin one and wait for nothing."""
        if self._next is None:
            self._next = _starter().submit(shell.start)

    def take(self) -> shell.Started | None:
        """The one that waits; None where there is none, or it could not be started or has ended."""
        found, self._next = self._next, None
        if found is None:
            return None
        try:
            started = found.result()
        except (OSError, WorldFailed):
            return None  # the action starts its own, and says what is wrong
        if started.process.ended():
            started.close()
            return None
        return started

    def close(self) -> None:
        """End it. May be called twice."""
        if (started := self.take()) is not None:
            started.close()
