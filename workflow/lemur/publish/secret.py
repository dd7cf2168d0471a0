"""Tokens: read from the environment or a file that it names, and kept out of everything printed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lemur.core.errors import UserError, first_line

HIDDEN = "***"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Token:
    """A secret. Printing it, in a message or a traceback, shows ``***``."""

    def __init__(self, value: str, where: str):
        value = value.strip()
        if not value or not value.isascii() or not value.isprintable():
            raise UserError(f"{where}: holds no token")
        self._value = value

    def __repr__(self) -> str:
        return HIDDEN

    def reveal(self) -> str:
        """The token itself, for a request's header alone."""
        return self._value

    def masked(self, text: str) -> str:
        """``text`` without the token, wherever a library or a server repeats it."""
        return text.replace(self._value, HIDDEN)


def from_environment(variable: str) -> Token:
    """The token in ``variable``, or in the file that ``<variable>_FILE`` names."""
    if os.environ.get(variable):
        return Token(os.environ[variable], variable)
    name = f"{variable}_FILE"
    if path := os.environ.get(name):
        try:
            return Token(Path(path).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{name}: {path} cannot be read ({type(error).__name__})") from None
    raise UserError(f"publish: no token: set {variable}, or {name} to a file that holds it")


def checked_endpoint(address: str, variable: str) -> str:
    """``address`` without a last slash. A token goes to https, or to this machine."""
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise UserError(
            f"{variable}: an address with a name or password in it: give the token apart"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise UserError(
            f"{variable}: {address}: must begin with https://, since a token is sent there"
        )
    return address.rstrip("/")


@contextmanager
def hiding(token: Token, label: str) -> Iterator[None]:
    """Let every error of the work inside be one line without the token, whichever library raises it."""
    try:
        yield
    except UserError as error:
        raise UserError(token.masked(str(error))) from None
    except Exception as error:
        line = f"{label}: {type(error).__name__}: {first_line(error)}: the same command continues"
        raise UserError(token.masked(line)) from None
