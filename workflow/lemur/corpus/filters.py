"""Reasons to drop a file, each a name that is counted. A filter looks at one document only.

Which measures are taken and where they end is a corpus' data (config/corpora/*.yaml), each with
the paper it follows; what a path alone tells stands here.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from lemur.core.errors import UserError, nearest
from lemur.core.own_code import load_folder
from lemur.corpus.measures import MEASURES, Document, Measure, OwnMeasure
from lemur.corpus.redact import PLACEHOLDERS


@functools.cache
def _own_measure(path: str) -> Measure:
    """The measure in a folder outside the package, loaded once a process."""
    return load_folder(Path(path), "lemur.corpus.measures", "MEASURE", OwnMeasure)().value


@dataclass(frozen=True)
class Filter:
    """A document is dropped where ``measure`` is under ``least`` or over ``most``.

    ``languages``: those it looks at, all where there are none. The measure's name is the reason.
    ``path``: the folder that has the measure, where it is none of the package.
    """

    measure: str
    least: float | None = None
    most: float | None = None
    languages: tuple[str, ...] = ()
    path: str = ""

    def __post_init__(self) -> None:
        if self.path:
            _own_measure(self.path)
        elif self.measure not in MEASURES:
            raise UserError(
                f"cleaning.filters: measure {self.measure!r} is unknown"
                f"{nearest(self.measure, MEASURES)}"
            )
        if self.least is None and self.most is None:
            raise UserError(f"cleaning.filters: {self.measure} has neither least nor most")

    def drops(self, document: Document) -> bool:
        if self.languages and document.language not in self.languages:
            return False
        measure = _own_measure(self.path) if self.path else MEASURES[self.measure]
        value = measure(document)
        return (self.least is not None and value < self.least) or (
            self.most is not None and value > self.most
        )


@dataclass(frozen=True)
class Cleaning:
    """A corpus's thresholds for one kind of source. Lengths of files in bytes."""

    min_bytes: int = 64
    max_bytes: int = 1_000_000
    licences: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()

    def __post_init__(self) -> None:
        for key in ("min_bytes", "max_bytes"):
            if getattr(self, key) < 0:
                raise UserError(f"cleaning.{key} is {getattr(self, key)}: at least 0 is needed")
        for kind in self.redact:
            if kind not in PLACEHOLDERS:
                raise UserError(
                    f"cleaning.redact: {kind!r} is unknown{nearest(kind, PLACEHOLDERS)}"
                )


_VENDORED = re.compile(
    r"(?:^|/)(?:_?vendor(?:ed|s)?|third[_-]?party|3rdparty|node_modules|bower_components|"
    r"site-packages|extern(?:al)?s?|\.venv|deps)(?:/|$)",
    re.IGNORECASE,
)
# What packaging tools wrote about the package, not what its authors did.
_PACKAGING = re.compile(
    r"(?:^|/)[^/]+\.(?:dist-info|egg-info|data)/|(?:^|/)PKG-INFO$|/__pycache__/"
)
_MINIFIED_NAME = re.compile(r"[.-]min\.(?:js|css|mjs)$|\.(?:bundle|chunk)\.js$", re.IGNORECASE)
_GENERATED_NAME = re.compile(
    r"_pb2(?:_grpc)?\.pyi?$|\.pb\.(?:go|cc|h)$|\.d\.[cm]?ts$|\.map$|(?:^|/)(?:package-lock\.json|"
    r"yarn\.lock|poetry\.lock|uv\.lock|Cargo\.lock)$|(?:^|/)(?:parsetab|lextab)\.py$|\.g\.dart$"
)
# Control characters other than tab, line, page and escape are no text that a person wrote. A table
# for bytes.translate, twenty times as fast as a regular expression.
_CONTROL = bytes(b for b in (*range(1, 32), 127) if b not in b"\t\n\r\f\x1b")


def by_path(path: str) -> str | None:
    """The reason that a path alone gives: packaging, vendored, minified, generated; else None."""
    if _PACKAGING.search(path):
        return "packaging"
    if _VENDORED.search(path):
        return "vendored"
    if _MINIFIED_NAME.search(path):
        return "minified"
    return "generated" if _GENERATED_NAME.search(path) else None


def decoded(data: bytes) -> str | None:
    """The text of a file with ``\\n`` line ends and without a byte order mark; None if not text."""
    if b"\0" in data:
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    odd = len(data) - len(data.translate(None, _CONTROL))
    return None if odd > 8 and odd > len(data) / 1000 else text


def by_text(text: str, language: str, cleaning: Cleaning) -> str | None:
    """The reason of the first filter that drops the text, or None for a document to keep."""
    document = Document(text, language)
    return next((each.measure for each in cleaning.filters if each.drops(document)), None)
