"""``LEMUR_DOWNLOAD_MBPS``: at most so many MB a second for one download job, so as not to fill a shared line."""

import os
import time
from collections.abc import Callable

from lemur.core.errors import UserError

VARIABLE = "LEMUR_DOWNLOAD_MBPS"


class Pace:
    """Waits so that what has come stays below ``rate`` bytes a second; None never waits."""

    def __init__(
        self,
        rate: float | None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.rate, self.sleep, self.clock = rate, sleep, clock
        self.due = clock()

    def came(self, size: int) -> None:
        """``size`` bytes have come. A pause of the sender's is not made up for afterwards."""
        if self.rate is None:
            return
        now = self.clock()
        self.due = max(self.due, now) + size / self.rate
        self.sleep(self.due - now)


def asked() -> float | None:
    """Bytes a second that the user allows; UserError for what is no number above 0."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise UserError(f"{VARIABLE}={text}: a number of MB a second above 0 is needed")
    return rate * 1e6
