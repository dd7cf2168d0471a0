"""The corpus table: what each source gave, under which licence, and what was dropped for what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lemur.core.contracts import read_file
from lemur.corpus.empty_source import describe_empty
from lemur.corpus.part_statistics import PartStatistics
from lemur.mixture.planned import Plan
from lemur.mixture.realised import Realised


@dataclass
class Source:
    """Sums over a source's parts. Sizes in bytes."""

    name: str
    kind: str
    licences: dict[str, int] = field(default_factory=dict)
    files: int = 0
    documents: int = 0
    bytes: int = 0
    heldout: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    planned: str = ""  # tokens, empty where no plan is given
    used: str = ""
    packed_out: dict[str, int] = field(default_factory=dict)

    @property
    def licence(self) -> str:
        """Licences by number of documents, most first."""
        return ", ".join(sorted(self.licences, key=lambda name: (-self.licences[name], name)))

    @property
    def nothing_kept(self) -> str | None:
        """A sentence about a source that keeps no document, None for all others."""
        return None if self.documents else describe_empty(self.name, self.files, self.dropped)

    @property
    def reasons(self) -> str:
        """``minified 3, too long 2``: dropped files by reason, most first."""
        return _listed(self.dropped)

    @property
    def packer(self) -> str:
        """Documents that the packer left out, by reason."""
        return _listed(self.packed_out)


def _listed(counts: dict[str, int]) -> str:
    order = sorted((key for key in counts if counts[key]), key=lambda key: (-counts[key], key))
    return ", ".join(f"{reason.replace('_', ' ')} {counts[reason]:,}" for reason in order)


def table(
    paths: Iterable[Path],
    plan: Plan | None = None,
    realised: Realised | None = None,
) -> list[Source]:
    """Sources from their parts' ``stats.json``: code first, larger first."""
    found: dict[str, Source] = {}
    for path in sorted(paths):
        stats = read_file(PartStatistics, path)
        source = found.setdefault(stats.source, Source(stats.source, stats.kind))
        source.files += stats.read.files
        source.documents += stats.documents
        source.bytes += stats.bytes
        source.heldout += stats.heldout_documents
        for name, count in stats.licences.items():
            source.licences[name] = source.licences.get(name, 0) + count.documents
        for reason, amount in stats.dropped.items():
            source.dropped[reason] = source.dropped.get(reason, 0) + amount.files
    for planned in plan.sources if plan else ():
        if planned.name in found:
            found[planned.name].planned = f"{planned.tokens:,}"
    for packed in realised.sources if realised else ():
        if packed.name in found:
            found[packed.name].used = f"{packed.tokens:,}"
            found[packed.name].packed_out = dict(packed.dropped)
    return sorted(
        found.values(), key=lambda source: (source.kind != "code", -source.bytes, source.name)
    )
