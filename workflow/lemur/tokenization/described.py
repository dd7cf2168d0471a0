"""``part-<i>-of-<P>.json`` of a token file and ``index.json`` of a packed data set."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lemur.core.contracts import optional


@dataclass(frozen=True)
class TokenFile:
    """One part of a source as token ids; the ids lie beside it in ``.bin``."""

    source: str
    part: int
    """Which part, from 0."""
    parts: int
    tokenizer_sha256: str
    """Of tokenizer.json, in hexadecimal digits."""
    vocabulary: int
    """Entries of the tokenizer; every id is below it."""
    dtype: str
    """Of an id: uint16 or uint32, little-endian."""
    eos: int
    """The id that ends a document."""
    documents: int
    tokens: int
    """End tokens among them."""
    heldout_tokens: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
    """Tokens by language."""
    fast: bool = True
    """Whether the fast tokenizer was used."""
    fallback_documents: int = 0
    """Encoded by the slow one, since the fast one differs there."""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """What holds for every sequence of a packed data set."""

    context: int
    """Tokens of a sequence."""
    eos: int
    """The id that fills places behind the last token."""
    dtype: str
    """Of an id in the token files."""
    vocabulary: int
    tokenizer_sha256: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class Index(Packed):
    """A packed data set, whose sequences are runs of tokens in token files."""

    sequences: int
    tokens: int
    """In all sequences, without padding."""
    files: tuple[str, ...]
    """Token files, relative to the index."""
    masks: tuple[str, ...] | None
    """Beside each a file of bytes, 1 where a token is trained on; None: all are."""
