"""Progress with an estimate, as lines that a terminal, a log and a SLURM file can all show."""

import time
from collections import deque
from types import TracebackType

from lemur.core.log import logger


def clock(seconds: float) -> str:
    """Seconds as ``42s``, ``3m07s`` or ``2h05m``."""
    seconds = int(seconds + 0.5)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    return f"{seconds // 3600}h{seconds % 3600 // 60:02d}m"


class Progress:
    """Counts ``done`` of ``total``; prints share, rate and time left at most every few seconds.

    Use as a context manager; ``start`` is what an earlier, interrupted run had done already. The rate
    is that of the last lines, so that an hour in which the job was suspended is soon forgotten.
    """

    LINES = 60

    def __init__(
        self, label: str, total: float, unit: str, *, start: float = 0, every: float = 5.0
    ):
        self.label, self.total, self.unit, self.every = label, total, unit, every
        self.done = start
        self.began = self.shown = time.monotonic()
        self.before = deque([(self.began, start)], maxlen=self.LINES)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._print(final=True)

    def add(self, amount: float = 1, note: str = "") -> None:
        """Count ``amount`` more; ``note`` (a loss, a file name) is shown when a line is printed."""
        self.done += amount
        if time.monotonic() - self.shown >= self.every:
            self._print(note=note)

    def _print(self, note: str = "", final: bool = False) -> None:
        now = self.shown = time.monotonic()
        began, done = self.before[0]
        rate = (self.done - done) / (now - began) if now > began else 0.0
        self.before.append((now, self.done))
        if final:
            tail = f"in {clock(now - self.began)}"
        elif rate > 0 and self.total >= self.done:
            tail = f"{rate:,.1f} {self.unit}/s, {clock((self.total - self.done) / rate)} left"
        else:
            tail = "estimating"
        share = 100 * self.done / self.total if self.total else 100.0
        count = f"{self.done:,.0f}/{self.total:,.0f} {self.unit} ({share:.0f}%)"
        logger.info(f"{self.label}: {count} {tail}{'  ' + note if note else ''}")
