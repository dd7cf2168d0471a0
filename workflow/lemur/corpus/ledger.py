"""What every stage left of every source: files, documents and bytes from download to training."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lemur.core.contracts import plain, read_file
from lemur.core.errors import UserError
from lemur.corpus import empty_source
from lemur.corpus.part_statistics import Example, PartStatistics
from lemur.data.documents import batches, shards
from lemur.data.drop_lists import read_duplicates, read_overlaps

# In the order in which the packer asks; a document counts under the first that holds.
STEPS = ("heldout", "exact", "near", "contaminated")


@dataclass
class Entry:
    """One source. Sizes are bytes; a step counts what it takes away of what the one before left."""

    name: str
    kind: str
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


def _add(into: dict[str, Counter[str]], counts: Mapping[str, object]) -> None:
    for name, more in counts.items():
        into.setdefault(name, Counter()).update(plain(more))


def read_statistics(paths: Iterable[Path], order: Sequence[str]) -> dict[str, Entry]:
    """Sums over the parts' ``stats.json``, in the order of the corpus."""
    found: dict[str, Entry] = {}
    for path in sorted(paths):
        stats = read_file(PartStatistics, path)
        if stats.source not in order:
            raise UserError(f"{path}: source '{stats.source}' is not one of the corpus")
        entry = found.setdefault(stats.source, Entry(stats.source, stats.kind))
        entry.downloaded += stats.downloaded_bytes
        entry.read.update(plain(stats.read))
        entry.cleaned.update(documents=stats.documents, bytes=stats.bytes)
        for kind in ("dropped", "redacted", "languages", "licences"):
            _add(getattr(entry, kind), getattr(stats, kind))
        for name, examples in stats.examples.items():
            entry.examples.setdefault(name, []).extend(examples)
    absent = [name for name in order if name not in found]
    if absent:
        raise UserError(f"no statistics of source {', '.join(absent)}: clean it first")
    return {name: found[name] for name in order}


def take_away(
    entries: Mapping[str, Entry],
    documents: Sequence[Path],
    duplicates: Sequence[Path],
    overlaps: Path,
) -> None:
    """Fill ``taken``: what of the cleaned documents no training sees, by the first reason."""
    lists = {
        "exact": read_duplicates(duplicates, "exact"),
        "near": read_duplicates(duplicates, "near"),
        "contaminated": read_overlaps(overlaps),
    }
    for shard in shards(documents):
        sizes: list[int] = []
        held: list[bool] = []
        for _, batch in batches(shard.path, ("bytes", "heldout"), 65536):
            sizes += batch["bytes"]
            held += batch["heldout"]
        size, open_ = np.array(sizes, np.int64), np.ones(len(sizes), bool)
        for step in STEPS:
            if step == "heldout":
                mine = np.array(held, bool)
            else:
                mine = np.zeros(len(sizes), bool)
                places = lists[step].get(shard.source, ())
                mine[[row for part, row in places if part == shard.part]] = True
            mine &= open_
            open_ &= ~mine
            taken = entries[shard.source].taken.setdefault(step, Counter())
            taken.update(documents=int(mine.sum()), bytes=int(size[mine].sum()))
