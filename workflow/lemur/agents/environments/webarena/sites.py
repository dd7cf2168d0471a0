"""Where WebArena's sites are: a file of addresses, since each is set up by whoever plays.

A model reads the names that the sites have in the original (``http://reddit.com``), whatever their
addresses are, so that a record does not depend on them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from lemur.core.errors import UserError, nearest

# In the order in which they are looked for in an address: the longer of two that begin alike first.
NAMES = {
    "shopping_admin": "http://luma.com/admin",
    "shopping": "http://onestopmarket.com",
    "reddit": "http://reddit.com",
    "gitlab": "http://gitlab.com",
    "wikipedia": "http://wikipedia.org",
    "map": "http://openstreetmap.org",
    "homepage": "http://homepage.com",
}
KEYS = ("url", "state", "username", "password")
PLACE = re.compile(r"__([A-Z_]+?)__")


@dataclass(frozen=True)
class Site:
    """``url`` without a slash at its end; ``state``: cookies and storage of somebody who is logged in,
    as playwright keeps them; ``username`` and ``password`` of the shop's own interface for programs."""

    url: str
    state: Mapping[str, Any] | None = None
    username: str = ""
    password: str = field(default="", repr=False)


class Sites:
    """Sites by name."""

    def __init__(self, sites: Mapping[str, Site], path: str | None = None):
        self.sites, self.path = dict(sites), path

    def missing(self, names: Sequence[str]) -> str | None:
        """Which of ``names`` has no address, in one line; None where all have."""
        for name in names:
            if name not in self.sites:
                if self.path is None:
                    return "no site file: settings: sites: names the addresses of WebArena's sites"
                return f"{self.path}: no address of '{name}'"
        return None

    def logged_out(self, names: Sequence[str]) -> str | None:
        """Which of ``names`` nobody is logged in at; None where somebody is at all."""
        for name in names:
            if self.sites[name].state is None:
                return f"{self.path}: {name}: no 'state' of somebody who is logged in"
        return None

    def closed(self, name: str) -> str | None:
        """Why a site's interface for programs cannot be asked; None where it can."""
        if self.sites[name].username and self.sites[name].password:
            return None
        return f"{self.path}: {name}: no 'username' and 'password' of its administrator"

    def state(self, names: Sequence[str]) -> dict[str, Any] | None:
        """Cookies and storage of several sites together."""
        states = [found for name in names if (found := self.sites[name].state) is not None]
        kinds = ("cookies", "origins")
        return {key: [x for state in states for x in state.get(key, [])] for key in kinds} or None

    def fill(self, text: str) -> str:
        """``text`` with addresses in place of ``__SHOPPING__`` and the like."""
        return PLACE.sub(lambda found: self._url(found.group(1).lower(), found.group(0)), text)

    def _url(self, name: str, otherwise: str) -> str:
        return self.sites[name].url if name in self.sites else otherwise

    def outward(self, url: str) -> str:
        """An address by the name that its site has in the original."""
        for name in sorted(self.sites, key=lambda name: -len(self.sites[name].url)):
            if within(url, self.sites[name].url):
                return NAMES[name] + url[len(self.sites[name].url) :]
        return url

    def inward(self, url: str) -> str:
        """The address that a name of the original stands for."""
        plain = re.sub(r"^(?:https?://)?(?:www\.)?", "http://", url.strip())
        for name, known in NAMES.items():
            if name in self.sites and within(plain, known):
                return self.sites[name].url + plain[len(known) :]
        return url

    @property
    def urls(self) -> list[str]:
        """All addresses."""
        return [site.url for site in self.sites.values()]


def within(url: str, start: str) -> bool:
    """Whether ``url`` is ``start`` or below it."""
    return url.startswith(start) and (len(url) == len(start) or url[len(start)] in "/?#")


def names_in(text: str) -> list[str]:
    """The sites whose places stand in a text."""
    return sorted({found.lower() for found in PLACE.findall(text) if found.lower() in NAMES})


def read_sites(path: str | None) -> Sites:
    """The site file; none at all without a path.

    Raises:
        UserError: no such file, a name or key that is not known, or an address that is none.
    """
    if path is None:
        return Sites({})
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such site file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())[:200]})") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: not a mapping of sites ({', '.join(NAMES)})")
    sites = {}
    for name, given in found.items():
        if name not in NAMES:
            raise UserError(f"{path}: '{name}'{nearest(str(name), NAMES)}")
        sites[name] = _site(given, f"{path}: {name}", Path(path).parent)
    return Sites(sites, path)


def _site(given: Any, where: str, folder: Path) -> Site:
    if not isinstance(given, dict):
        raise UserError(f"{where}: not a mapping with 'url'")
    for key, value in given.items():
        if key not in KEYS:
            raise UserError(f"{where}.{key}{nearest(str(key), KEYS)}")
        if not isinstance(value, str):
            raise UserError(f"{where}.{key}: must be text, not {value!r}")
    url = given.get("url", "")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(f"{where}.url: '{url}' is no http address")
    state = None
    if "state" in given:
        place = folder / given["state"]
        try:
            state = json.loads(place.read_text("utf-8"))
        except FileNotFoundError:
            raise UserError(f"{where}.state: {place}: no such file") from None
        except ValueError as error:
            raise UserError(f"{where}.state: {place}: not JSON ({error})") from None
        if not isinstance(state, dict):
            raise UserError(f"{where}.state: {place}: not an object with 'cookies' and 'origins'")
    return Site(url.rstrip("/"), state, given.get("username", ""), given.get("password", ""))
