"""The settings of cleaning as its script is given them: a source and what a corpus asks of it."""

from dataclasses import dataclass

from lemur.core.errors import UserError
from lemur.corpus.filters import Cleaning


@dataclass(frozen=True)
class CleanedSource:
    """A source of config/sources.yaml, as far as it decides which documents are kept."""

    name: str
    kind: str
    """code or text."""
    licence: str | None = None
    format: str | None = None
    """archive (as without one), files, jsonl or parquet."""
    include: tuple[str, ...] | None = None
    """Globs of paths in which ``*`` matches ``/`` too; without any, all are read."""
    exclude: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    """Those that are kept; without any, all of the kind."""
    max_mb: float | None = None
    """Million bytes that are kept at most, over all parts."""
    convert: str | None = None
    """The converter of members that are no text."""
    text_field: str | tuple[str, ...] | None = None
    """Of a data set: the columns that make a document, ``text`` without any."""
    path_field: str | None = None
    licence_field: str | None = None
    language_field: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("code", "text"):
            raise UserError(f"{self.name}: kind {self.kind!r}: allowed are code, text")


@dataclass(frozen=True)
class Heldout:
    """The part of documents that is never trained on, 0 to 1."""

    share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise UserError(f"heldout.share is {self.share}: allowed is 0 to 1")


@dataclass(frozen=True)
class CleanSpec:
    """``--spec`` of cleaning: ``max_mb`` as the source's, million bytes over all parts."""

    source: CleanedSource
    cleaning: Cleaning = Cleaning()
    heldout: Heldout = Heldout()
    max_mb: float | None = None


@dataclass(frozen=True)
class Pin:
    """What config/sources.yaml says of where a source is from."""

    name: str
    licence: str
    status: str
    """exact, or a substitute for what the paper took."""
    kind: str | None = None
    citation: str | None = None
    substitute_for: str | None = None


@dataclass(frozen=True)
class DatasheetSpec:
    """``--spec`` of the datasheet, and of the corpus as a Croissant data set."""

    corpus: str
    recipe: str
    description: str
    sources: tuple[Pin, ...]
