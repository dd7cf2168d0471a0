"""Documents inside members that are no plain text; a source's ``convert`` names the converter.

A converter takes a member's bytes and gives (name inside the member, text) of each document in it.
"""

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lemur.corpus.convert import html, metamath, rdata


@dataclass(frozen=True)
class Converter:
    """``members``: globs of the members it takes; ``most``: bytes of the largest one it reads."""

    members: tuple[str, ...]
    most: int
    documents: Callable[[bytes], Iterator[tuple[str, str]]]

    def takes(self, path: str) -> bool:
        return any(fnmatch.fnmatchcase(path, glob) for glob in self.members)


CONVERTERS = {
    "html": Converter(("*.html", "*.htm"), 20_000_000, html.documents),
    "metamath": Converter(("*.mm",), 200_000_000, metamath.documents),
    "rdata": Converter(("*.rdb",), 50_000_000, rdata.documents),
}
