"""Addresses of servers, as a command or a recipe gives them."""

import re
from urllib.parse import urlsplit

from lemur.core.errors import UserError


def checked_url(url: str, where: str) -> str:
    """An http(s) address without credentials, or a UserError."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and bool(parts.hostname)
        right = right and parts.port != 0 and not re.search(r"[\s\x00-\x1f]", url)
    except ValueError:  # brackets that do not close, a port above 65,535
        right = False
    if not right:
        raise UserError(
            f"{where}: '{url[:200]}' is not an address such as http://127.0.0.1:8000/v1"
        )
    if parts.username or parts.password:
        raise UserError(f"{where}: an address with credentials would be recorded: set OPENAI_API_KEY")  # fmt: skip
    return url.rstrip("/")
