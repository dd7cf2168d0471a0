"""``part-<i>-of-<P>.stats.json``: what cleaning read, dropped and kept of one part of a source."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lemur.core.contracts import optional


@dataclass(frozen=True)
class FileCount:
    """Files as they were found, with their bytes."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class DocumentCount:
    """Documents as they are kept, with the bytes of their UTF-8 text."""

    documents: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Replacements:
    """How many documents had something to be replaced, and how often it was."""

    documents: int
    replaced: int


@dataclass(frozen=True)
class Example:
    """One document, for a reader to look at."""

    path: str
    """In its source."""
    language: str
    text: str
    """The beginning, redacted; empty where a licence forbids showing it."""
    reason: str | None = optional()
    """Of a dropped one: why."""


@dataclass(frozen=True)
class PartStatistics:
    """One part. Files read are documents kept and files dropped."""

    source: str
    kind: str
    """code or text."""
    documents: int
    """Kept."""
    bytes: int
    """Of the kept documents' UTF-8 text."""
    licence: str | None = None
    """As the source's entry declares it."""
    heldout_documents: int = 0
    """Of those kept, never trained on."""
    heldout_bytes: int = 0
    read: FileCount = FileCount()
    rewritten_bytes: int = 0
    """What kept files lost: line ends, byte order marks, redaction."""
    dropped: Mapping[str, FileCount] = field(default_factory=dict)
    """By reason."""
    languages: Mapping[str, DocumentCount] = field(default_factory=dict)
    """Kept, by language."""
    licences: Mapping[str, DocumentCount] = field(default_factory=dict)
    """Kept, by the licence that each document carries."""
    part: int = 0
    """Which part, from 0."""
    parts: int = 1
    downloaded_bytes: int = 0
    """Of the files that the download's manifest lists."""
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    """kept and dropped: at most ten of each, drawn by their paths' hashes."""
    redacted: Mapping[str, Replacements] = field(default_factory=dict)
    """By what was replaced (email, key, ...)."""
