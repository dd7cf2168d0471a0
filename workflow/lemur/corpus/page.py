"""``datasheet.json``: a corpus' datasheet as blocks of plain text, which Markdown and the report show."""

from dataclasses import dataclass

from lemur.core.contracts import optional


@dataclass(frozen=True)
class Table:
    """Every row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class SourceExample:
    """A document kept or dropped; ``text`` is its beginning, ``reason`` why it was dropped."""

    source: str
    path: str
    language: str
    text: str
    reason: str | None = optional()


@dataclass(frozen=True)
class Block:
    """Has exactly one of its fields."""

    heading: str | None = optional()
    text: str | None = optional()
    table: Table | None = optional()
    examples: tuple[SourceExample, ...] | None = optional()
    items: tuple[str, ...] | None = optional()


@dataclass(frozen=True)
class Datasheet:
    """The corpus' name, and its datasheet from top to bottom."""

    corpus: str
    blocks: tuple[Block, ...]
