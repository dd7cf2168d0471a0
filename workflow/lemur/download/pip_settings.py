"""pip's own configuration, so that a download goes where ``pip install`` goes.

Read as pip documents it ("Configuration"): command line and environment win over the site file,
that over the user's, that over the machine's; ``[install]`` and ``[download]`` win over
``[global]``. Only the main index counts: an extra index could put another file under a name.
"""

import configparser
import os
import sys
from pathlib import Path

_SECTIONS = ("global", "install", "download")


def _files() -> list[Path]:
    """Configuration files, weakest first."""
    chosen = os.environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    home = Path.home()
    machine = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf")]
    user = [home / ".pip" / "pip.conf"]
    if sys.platform == "darwin":
        machine.insert(0, Path("/Library/Application Support/pip/pip.conf"))
        user.append(home / "Library/Application Support/pip/pip.conf")
    configured = os.environ.get("XDG_CONFIG_HOME")
    user.append((Path(configured) if configured else home / ".config") / "pip" / "pip.conf")
    found = [*machine, *user, Path(sys.prefix) / "pip.conf"]
    return found + ([Path(chosen)] if chosen else [])


def setting(name: str) -> str | None:
    """pip's value for ``name`` (as ``index-url``), or None when nobody set it."""
    from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if from_environment:
        return from_environment
    value: str | None = None
    for section in _SECTIONS:
        for path in _files():
            parser = configparser.RawConfigParser()
            try:
                parser.read(path, encoding="utf-8")
            except (configparser.Error, OSError, UnicodeDecodeError):
                continue  # pip itself complains about it where the user will see it
            value = parser.get(section, name, fallback=None) or value
    return value


def index_url(default: str) -> str:
    """The package index's address, ending in ``/``."""
    return (setting("index-url") or default).strip().rstrip("/") + "/"


def certificates() -> str | None:
    """The certificate bundle that pip is told to use, else what requests would take."""
    return setting("cert") or os.environ.get("REQUESTS_CA_BUNDLE")


def timeout() -> float:
    """Seconds without a byte before a connection counts as cut."""
    try:
        return max(5.0, float(setting("default-timeout") or setting("timeout") or 60))
    except ValueError:
        return 60.0
