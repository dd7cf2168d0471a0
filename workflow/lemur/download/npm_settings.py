"""npm's own configuration, so that a download goes where ``npm install`` goes.

Read as npm documents it ("config"): the environment wins over the user's ``.npmrc``, that over the
global file. npm itself need not be installed.
"""

import os
import re
from pathlib import Path

_REGISTRY = re.compile(r"^\s*registry\s*=\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{([^}?]+)\??\}")


def _files() -> list[Path]:
    """Configuration files, strongest first."""
    environment = {name.lower(): value for name, value in os.environ.items()}
    user = environment.get("npm_config_userconfig")
    machine = environment.get("npm_config_globalconfig")
    prefixes = [environment.get("npm_config_prefix"), environment.get("prefix"), "/usr/local"]
    folders = [Path(prefix) / "etc" for prefix in prefixes if prefix]
    named = [Path(machine)] if machine else [folder / "npmrc" for folder in folders]
    return [Path(user) if user else Path.home() / ".npmrc", *named, Path("/usr/etc/npmrc")]


def registry(default: str) -> str:
    """The registry's address without a ``/`` at its end."""
    for name, value in os.environ.items():
        if name.lower() == "npm_config_registry" and value:
            return value.strip().rstrip("/")
    for path in _files():
        try:
            found = _REGISTRY.findall(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            continue  # npm itself complains about it where the user will see it
        if found and found[-1]:
            chosen = _REFERENCE.sub(lambda m: os.environ.get(m[1], ""), found[-1])
            return chosen.rstrip("/")
    return default.rstrip("/")
