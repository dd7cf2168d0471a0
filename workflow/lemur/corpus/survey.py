"""What an archive says about its own licences: its metadata, and licence files inside folders."""

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path

from lemur.corpus import licence_texts, licences
from lemur.data.archives import members

# Larger ones are no licence text; reading them would only cost memory.
_MOST = 200_000
_MANIFEST = "package/package.json"  # an npm tarball's
_COPYRIGHT = re.compile(r"^usr/share/doc/[^/]+/copyright$")  # a Debian package's
_METADATA = re.compile(r"^(?:[^/]+/)?PKG-INFO$|^[^/]+\.dist-info/METADATA$")
_PACKAGING = re.compile(r"\.(?:dist-info|egg-info)(?:/|$)")


@dataclass
class Survey:
    """``metadata`` as ``licences.read_metadata`` gives it; ``nested`` maps a folder to the licence
    that a licence file in it states, None where that text is not a permissive one that we know;
    ``count`` is the number of members; ``last`` maps a path that several of them have to the number
    of the last, the one that unpacking with tar, unzip or dpkg leaves."""

    metadata: tuple[str | None, bool] = (None, False)
    nested: dict[str, str | None] = field(default_factory=dict)
    count: int = 0
    last: dict[str, int] = field(default_factory=dict)

    def nested_for(self, path: str) -> tuple[bool, str | None]:
        """(whether a folder above ``path`` has a licence of its own, which)."""
        folder = posixpath.dirname(path) if self.nested else ""
        while folder:
            if folder in self.nested:
                return True, self.nested[folder]
            folder = posixpath.dirname(folder)
        return False, None


def survey(archive: Path) -> Survey:
    """Read an archive once for its metadata and licence files; ``UserError`` when it is damaged."""
    found = Survey()
    texts: dict[str, str] = {}
    seen: set[str] = set()
    for number, member in enumerate(members(archive)):
        found.count += 1
        if member.path in seen:
            found.last[member.path] = number
            texts.pop(member.path, None)
        seen.add(member.path)
        if member.link or member.size > _MOST:
            continue
        if _METADATA.match(member.path):
            said = licences.read_metadata(member.read().decode("utf-8", "replace"))
            if said[0] is not None:
                found.metadata = said
        elif member.path == _MANIFEST or _COPYRIGHT.match(member.path):
            text = member.read().decode("utf-8", "replace")
            read = licences.read_npm if member.path == _MANIFEST else licences.read_debian
            found.metadata = (read(text), False)
        elif licence_texts.is_licence_file(member.path):
            texts[member.path] = member.read().decode("utf-8", "replace")
    top = {path for path in texts if path.count("/") <= 1 or _PACKAGING.search(path)}
    own = {" ".join(texts[path].split()) for path in top}
    for path in sorted(texts.keys() - top):
        # The package's own licence, repeated inside it, changes nothing.
        if " ".join(texts[path].split()) not in own:
            found.nested[posixpath.dirname(path)] = licence_texts.recognise_text(texts[path])
    return found
