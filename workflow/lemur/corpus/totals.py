"""What cleaning left of every source: sums over its parts' statistics."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lemur.core.contracts import plain, read_file
from lemur.core.errors import UserError
from lemur.corpus import empty_source
from lemur.corpus.part_statistics import (
    DocumentCount,
    Example,
    FileCount,
    PartStatistics,
    Replacements,
)

# In the order in which the packer asks; a document counts under the first that holds.
STEPS = ("heldout", "exact", "near", "contaminated")


@dataclass
class Entry:
    """One source. Sizes are bytes; a step counts what it takes away of what the one before left."""

    name: str
    kind: str
    declared: set[str] = field(default_factory=set)
    """Licences of its parts that keep nothing, as its entry declares them."""
    downloaded: int = 0
    read: Counter[str] = field(default_factory=Counter)
    cleaned: Counter[str] = field(default_factory=Counter)
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    redacted: dict[str, Counter[str]] = field(default_factory=dict)
    languages: dict[str, Counter[str]] = field(default_factory=dict)
    licences: dict[str, Counter[str]] = field(default_factory=dict)
    taken: dict[str, Counter[str]] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    def left(self, step: str | None = None) -> Counter[str]:
        """{documents, bytes} after ``step`` and all before it; after cleaning without one."""
        found = Counter(self.cleaned)
        if step is not None:
            for earlier in STEPS[: STEPS.index(step) + 1]:
                found.subtract(self.taken.get(earlier, Counter()))
        return found

    def nothing_kept(self) -> str | None:
        """A sentence about a source that keeps no document, None for all others."""
        if self.cleaned["documents"]:
            return None
        dropped = {why: counts["files"] for why, counts in self.dropped.items()}
        return empty_source.describe_empty(self.name, self.read["files"], dropped)


def _add(
    into: dict[str, Counter[str]], counts: Mapping[str, FileCount | DocumentCount | Replacements]
) -> None:
    for name, more in counts.items():
        into.setdefault(name, Counter()).update(plain(more))


def read_statistics(paths: Iterable[Path], order: Sequence[str] | None = None) -> dict[str, Entry]:
    """Sums over the parts' ``stats.json``, in the order of the corpus; without one, of whatever is there."""
    found: dict[str, Entry] = {}
    for path in sorted(paths):
        stats = read_file(PartStatistics, path)
        if order is not None and stats.source not in order:
            raise UserError(f"{path}: source '{stats.source}' is not one of the corpus")
        entry = found.setdefault(stats.source, Entry(stats.source, stats.kind))
        entry.downloaded += stats.downloaded_bytes
        entry.read.update(plain(stats.read))
        entry.cleaned.update(documents=stats.documents, bytes=stats.bytes)
        for kind in ("dropped", "redacted", "languages", "licences"):
            _add(getattr(entry, kind), getattr(stats, kind))
        entry.declared |= set() if stats.licences else {str(stats.licence)}
        for name, examples in stats.examples.items():
            entry.examples.setdefault(name, []).extend(examples)
    if order is None:
        return found
    absent = [name for name in order if name not in found]
    if absent:
        raise UserError(f"no statistics of source {', '.join(absent)}: clean it first")
    return {name: found[name] for name in order}
