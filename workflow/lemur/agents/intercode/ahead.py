"""The shell of an episode's next action, started while the model thinks of it.

Nearly all that an action takes is the start of its sandbox and of Python in there, and neither needs to
know the action. A shell that waits holds nothing of the episode and takes one action, as any other. What
remains of a sandbox whose action has been answered is taken down in that time, too.
"""

import functools
from concurrent.futures import Future, ThreadPoolExecutor, wait

from lemur.agents.environment import WorldFailed
from lemur.agents.intercode import shell


@functools.cache
def _starter() -> ThreadPoolExecutor:
    """One thread that lives as long as this process: bubblewrap ends with the thread that started it."""
    return ThreadPoolExecutor(1, thread_name_prefix="shells")


@functools.cache
def _ender() -> ThreadPoolExecutor:
    """A thread beside the starter, so that a shell that is needed never waits for one that has ended."""
    return ThreadPoolExecutor(1, thread_name_prefix="ended-shells")


class Ahead:
    """At most one shell that waits, and those that have answered and are not gone yet."""

    def __init__(self) -> None:
        self._next: Future[shell.Started] | None = None
        self._ending: list[Future[None]] = []

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

    def take_down(self, answered: shell.Started) -> None:
        """Have a sandbox end in which nothing runs any more, and wait for nothing."""
        self._ending = [future for future in self._ending if not future.done()]
        self._ending.append(_ender().submit(answered.close))

    def close(self) -> None:
        """End all, and wait until they are gone. May be called twice."""
        if (started := self.take()) is not None:
            started.close()
        wait(self._ending)
