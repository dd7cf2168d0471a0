"""The corpus table: what each source gave, under which licence, and what was dropped for what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lemur.corpus.empty_source import describe_empty
from lemur.figures.inputs import mapping


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
    plan: dict[str, Any] | None = None,
    realised: dict[str, Any] | None = None,
) -> list[Source]:
    """Sources from their parts' ``stats.json``: code first, larger first."""
    found: dict[str, Source] = {}
    for path in sorted(paths):
        stats = mapping(path, "source", "kind", "licence", "documents", "bytes", "dropped")
        source = found.setdefault(stats["source"], Source(stats["source"], stats["kind"]))
        source.files += (stats.get("read") or {}).get("files", 0)
        source.documents += stats["documents"]
        source.bytes += stats["bytes"]
        source.heldout += stats.get("heldout_documents", 0)
        counts = stats.get("licences") or {stats["licence"]: stats["documents"]}
        for name, count in counts.items():
            # A count, or an object with one: both are "documents under this licence".
            many = count["documents"] if isinstance(count, dict) else count
            source.licences[name] = source.licences.get(name, 0) + many
        for reason, amount in stats["dropped"].items():
            source.dropped[reason] = source.dropped.get(reason, 0) + amount["files"]
    for source in (plan or {}).get("sources", []):
        if source["name"] in found:
            found[source["name"]].planned = f"{source['tokens']:,}"
    for source in (realised or {}).get("sources", []):
        if source["name"] in found:
            found[source["name"]].used = f"{source['tokens']:,}"
            found[source["name"]].packed_out = dict(source.get("dropped") or {})
    return sorted(
        found.values(), key=lambda source: (source.kind != "code", -source.bytes, source.name)
    )
