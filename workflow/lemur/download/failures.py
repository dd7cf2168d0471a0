"""What a failed request means: whether to try again, how long to wait, how to say it."""

import random
from urllib.parse import urlsplit

import requests

# Statuses that pass by themselves.
BUSY = {408, 425, 429, 500, 502, 503, 504}
# Tries without a new byte in between: about half a minute of waiting before giving up.
TRIES = 6
# No name, no route: waiting seldom helps, so say it soon.
TRIES_UNREACHABLE = 3


def pause(failures: int) -> float:
    """Seconds to wait after the n-th failure in a row: 1, 2, 4, ... at most 30.

    Half of it is random, so that the parts of one source do not all come back at once.
    """
    return min(30.0, 2.0 ** (failures - 1)) * (0.5 + random.random() / 2)  # noqa: S311


def shown(url: str) -> str:
    """A URL without user, password, query and fragment: what may stand in a message."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def is_unreachable(error: requests.RequestException) -> bool:
    """Whether no connection came about at all (no name, no route, refused)."""
    text = repr(error)
    return any(
        sign in text
        for sign in ("NameResolutionError", "NewConnectionError", "ConnectTimeout", "ProxyError")
    )


def reason(error: requests.RequestException) -> str:
    """The cause in a few words: requests' own text repeats the whole URL, with its secrets."""
    text = repr(error)
    for sign, words in (
        ("NameResolutionError", "its name cannot be resolved"),
        ("ProxyError", "the proxy cannot be reached"),
        ("Connection refused", "the connection was refused"),
        ("Network is unreachable", "the network is unreachable"),
        ("NewConnectionError", "no connection"),
        ("SSL", "its certificate is not accepted (REQUESTS_CA_BUNDLE, PIP_CERT)"),
        ("Timeout", "no answer in time"),
        ("timed out", "no answer in time"),
    ):
        if sign in text:
            return words
    return "the connection was cut"
