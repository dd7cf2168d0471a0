"""Ask an index again when it is busy: the pages that are not files, so nothing is resumed."""

import time
from collections.abc import Callable
from typing import TypeVar

import requests

from lemur.core.errors import UserError
from lemur.download.failures import (
    BUSY,
    TRIES,
    TRIES_UNREACHABLE,
    is_unreachable,
    pause,
    reason,
    shown,
)

T = TypeVar("T")
sleep = time.sleep  # replaced in tests


def patiently(ask: Callable[[], T], label: str, address: str) -> T:
    """``ask()``, again after a pause while the server is busy or the connection is cut.

    ``UserError`` in one line when it stays so, and at once for 401, 403 and other refusals.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return ask()
        except requests.HTTPError as error:
            status = error.response.status_code
            why = f"answers HTTP {status}"
            if status not in BUSY:
                hint = ": check the credentials in pip's index-url" if status in (401, 403) else ""
                raise UserError(f"{label}: {shown(address)} {why}{hint}") from None
            last = attempt == TRIES
        except (requests.ConnectionError, requests.Timeout) as error:
            why = reason(error)
            last = attempt == (TRIES_UNREACHABLE if is_unreachable(error) else TRIES)
        if last:
            raise UserError(
                f"{label}: {shown(address)}: {why} ({attempt} tries): is there a network? "
                "The same command continues"
            )
        sleep(pause(attempt))
    raise AssertionError("unreachable")
