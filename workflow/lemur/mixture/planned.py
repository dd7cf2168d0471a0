"""``plan.json``: how many tokens and packed sequences a recipe takes of each source.

Tokens count positions of packed sequences; shares are of all tokens of the plan.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lemur.core.contracts import optional


@dataclass(frozen=True)
class PlannedLanguage:
    """One language of a source whose languages have weights."""

    name: str
    tokens: int
    sequences: int


@dataclass(frozen=True)
class PlannedSource:
    """One source."""

    name: str
    kind: str
    """code or text."""
    tokens: int
    sequences: int
    share: float
    licence: str | None = None
    available_bytes: int = 0
    """Of cleaned UTF-8 text that may be trained on; held-out text may not."""
    languages: tuple[PlannedLanguage, ...] | None = optional()
    """Where they have weights: they sum to the source's."""


@dataclass(frozen=True)
class PlannedKind:
    """All sources of code, or of text."""

    tokens: int
    sequences: int
    share: float


@dataclass(frozen=True)
class Plan:
    """The mixture of one recipe."""

    recipe: str
    seed: int
    tokens: int
    context: int
    """Tokens of a packed sequence."""
    code_to_text: int | float | None
    """As the recipe says it; None where there is no text."""
    sequences: int
    kinds: Mapping[str, PlannedKind]
    """code and text."""
    sources: tuple[PlannedSource, ...]
    """In the order of the corpus."""


@dataclass(frozen=True)
class Weights:
    """How much of each source is taken: ``bytes`` for as many as it has, or a number a source."""

    code: str | Mapping[str, int | float] = "bytes"
    text: str | Mapping[str, int | float] = "bytes"
    languages: Mapping[str, Mapping[str, int | float]] | None = None
    """By source, a number a language, of sources that are not taken as they are."""


@dataclass(frozen=True)
class SourceOfKind:
    """A source by its name, with its kind: code or text."""

    name: str
    kind: str


@dataclass(frozen=True)
class PlanSpec:
    """``--spec`` of the plan. ``temperature`` flattens shares by bytes; 1 leaves them."""

    recipe: str
    seed: int
    tokens: int
    context: int
    code_to_text: int | float
    sources: tuple[SourceOfKind, ...]
    weights: Weights = field(default_factory=Weights)
    max_epochs: float = 1.0
    temperature: float = 1.0
    code_share: str | int | float | None = None
    """The part of all tokens that is code, in place of ``code_to_text``: 0.25 or "10/11"."""


@dataclass(frozen=True)
class TableSpec:
    """``--spec`` of the mixture's table: sources in the order of the corpus."""

    sources: tuple[str, ...]
