"""``realised.json``: what packing made of a plan, in tokens and packed sequences."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lemur.core.contracts import optional


@dataclass(frozen=True)
class RealisedLanguage:
    """One language of a source whose languages have weights."""

    name: str
    planned_tokens: int
    tokens: int
    sequences: int
    epochs: float
    """Passes over its usable tokens."""


@dataclass(frozen=True)
class RealisedSource:
    """One source."""

    name: str
    kind: str
    """code or text."""
    planned_tokens: int
    tokens: int
    sequences: int
    documents: int
    """Different ones, of which at least one token is packed."""
    epochs: float
    """Passes over its usable tokens."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Documents left out, by the first reason that holds: heldout, duplicate, decontaminated."""
    languages: tuple[RealisedLanguage, ...] | None = optional()


@dataclass(frozen=True)
class RealisedKind:
    """All sources of code, or of text; ``share`` is of all tokens."""

    tokens: int
    sequences: int
    share: float


@dataclass(frozen=True)
class Realised:
    """The packed data set of one recipe."""

    sequences: int
    tokens: int
    context: int
    """Tokens of a packed sequence."""
    packing: str
    """concatenate or best-fit."""
    code_to_text: float | None
    """By tokens; None where there is no text."""
    kinds: Mapping[str, RealisedKind]
    sources: tuple[RealisedSource, ...]
    languages: Mapping[str, Mapping[str, int]]
    """Tokens by kind and language."""
    padding: int
    """Positions that hold no token."""
    truncated: int
    """Tokens that were cut off to fit."""
