"""When documents count as duplicates, and ``duplicates.json``: what was found across a corpus."""

from collections.abc import Mapping
from dataclasses import dataclass

from lemur.core.contracts import optional
from lemur.core.errors import UserError
from lemur.corpus.part_statistics import DocumentCount


@dataclass(frozen=True)
class Settings:
    """``jaccard`` 0 to 1; ``shingle`` words; ``permutations`` in ``bands`` of equal length."""

    shingle: int
    permutations: int
    bands: int
    jaccard: int | float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.jaccard <= 1:
            raise UserError(f"deduplication.jaccard is {self.jaccard}: more than 0, at most 1")
        if self.shingle < 1 or self.permutations < 1 or self.bands < 1:
            raise UserError("deduplication: shingle, permutations and bands are at least 1")
        if self.permutations % self.bands:
            raise UserError(
                f"deduplication.permutations: {self.permutations} is no multiple of "
                f"bands {self.bands}"
            )


@dataclass(frozen=True)
class SignSpec:
    """``--spec`` of signing: how near counts as a duplicate changes no signature, and is not said."""

    deduplication: Settings


@dataclass(frozen=True)
class DuplicatesSpec:
    """``--spec``: the corpus' sources, and when documents count as near-duplicates (None: never)."""

    sources: tuple[str, ...]
    deduplication: Settings | None = None


@dataclass(frozen=True)
class Removed:
    """What the drop list of a source names."""

    exact: DocumentCount
    """Equal to another document."""
    near: DocumentCount
    """Nearly equal."""


@dataclass(frozen=True)
class Duplicates:
    """``duplicates.json``: what was found across a corpus."""

    deduplication: Settings | None
    clusters: int
    """Of near-duplicates, of each of which one is kept."""
    largest_clusters: tuple[int, ...]
    """Documents of the ten largest."""
    sources: Mapping[str, Removed]
    compared_documents: int | None = optional()
    compared_pairs: int | None = optional()
    """Whose exact Jaccard index was computed."""
    accepted_pairs: int | None = optional()
    """At or above the threshold."""
    crowded_buckets: int | None = optional()
    """Bands that more documents share than are all compared with each other."""
