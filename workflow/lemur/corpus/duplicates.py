"""Exact and near-duplicates across a corpus, as one drop list a source: nothing is rewritten.

Of equal or nearly equal documents one survives: a held-out one if there is one (its near copies
must not be trained on), else the first by (source, path) in alphabetical order. The rule does not
depend on the order of sources, files or parts.
"""

import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from lemur.core.contracts import write_file
from lemur.core.errors import UserError
from lemur.core.files import write_text
from lemur.core.progress import Progress
from lemur.corpus.deduplication import Duplicates, DuplicatesSpec, Removed, Settings
from lemur.corpus.near_duplicates import Documents, Near
from lemur.corpus.part_statistics import DocumentCount
from lemur.corpus.signatures import Signatures
from lemur.data.documents import batches
from lemur.data.part_names import part_of

HEADER = "part\trow\tid\treason\tsimilarity\tkept_source\tkept_path\n"
REASONS = ("exact", "near")
FACTS = "duplicates.json"
# Rows of a part that are looked at together, without their texts.
_ROWS = 4096


@dataclass(frozen=True, order=True)
class _Place:
    """A document, in the order in which one is preferred as the survivor."""

    trained: bool
    source: str
    path: str
    file: int
    row: int
    id: str
    bytes: int


def run(spec: DuplicatesSpec, documents: list[Path], signatures: list[Path], out: Path) -> None:
    """Write ``<out>/<source>/duplicates.tsv`` of every source and ``<out>/duplicates.json``.

    ``signatures``: beside each parquet part what ``signatures.sign`` made of it, none where null. A
    source is the name of a parquet's folder. Columns: part, row (0-based in that part), id,
    reason (exact: equal to another; near), similarity (Jaccard index with the document that is
    kept, which a chain of near-duplicates may put below the threshold), kept_source, kept_path;
    tabs, line ends and backslashes in a path are escaped.
    """
    names, settings = list(spec.sources), spec.deduplication
    for path in documents:
        if path.parent.name not in names:
            raise UserError(
                f"{path}: its folder {path.parent.name!r} is none of {', '.join(names)}"
            )
    documents = sorted(documents)
    lists = _Lists(documents, names)
    copies = _exact(documents)
    if settings:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".near.", dir=out) as folder:
            signed = _beside(documents, signatures)
            clusters = _near(documents, signed, copies, settings, Path(folder), lists)
    else:
        clusters = []
    # An exact copy goes the way of the one that stands for it.
    kept = {
        member.id: (cluster, alike) for cluster, members in clusters for member, alike in members
    }
    for stands, others in copies.values():
        survivor, similarity = kept.get(stands.id, (stands, 1.0))
        for other in others:
            lists.add(other, "exact", similarity, survivor)
    lists.write(out)
    sizes = sorted((1 + len(members) for _, members in clusters), reverse=True)
    counts = {
        name: Removed(*(DocumentCount(**found[reason]) for reason in REASONS))
        for name, found in lists.counts.items()
    }
    made = Duplicates(settings, len(sizes), tuple(sizes[:10]), counts, **lists.facts)
    write_file(out / FACTS, made)


def _beside(documents: list[Path], signatures: list[Path]) -> list[Path]:
    """The signatures in the order of the documents; ``UserError`` where a part has none."""
    found = {(path.parent.name, path.stem): path for path in signatures}
    for path in documents:
        if (path.parent.name, path.stem) not in found:
            raise UserError(f"{path}: no signatures of it are given; sign it first")
    return [found[path.parent.name, path.stem] for path in documents]


class _Lists:
    """The drop lists while they are made."""

    def __init__(self, documents: list[Path], names: list[str]):
        self.documents = documents
        self.facts: dict[str, int] = {}
        self.rows: dict[str, list[tuple]] = {name: [] for name in names}
        self.counts = {
            name: {reason: {"documents": 0, "bytes": 0} for reason in REASONS} for name in names
        }

    def add(self, place: _Place, reason: str, similarity: float, survivor: _Place) -> None:
        self.rows[place.source].append(
            (part_of(self.documents[place.file]), place.row, place.id, reason)
            + (f"{similarity:.4f}", survivor.source, _escaped(survivor.path))
        )
        counts = self.counts[place.source][reason]
        counts["documents"] += 1
        counts["bytes"] += place.bytes

    def write(self, out: Path) -> None:
        for name, rows in self.rows.items():
            lines = ["\t".join(map(str, row)) + "\n" for row in sorted(rows)]
            write_text(out / name / "duplicates.tsv", HEADER + "".join(lines))


def _exact(documents: list[Path]) -> dict[str, tuple[_Place, list[_Place]]]:
    """{id: (the one that stands for all, the others)} of ids that occur more than once."""
    repeated = _repeated(documents)
    groups: dict[str, list[_Place]] = defaultdict(list)
    for file, path in enumerate(documents):
        rows = np.flatnonzero(np.isin(_prefixes(path), repeated))
        for place in _places(file, path, rows):
            groups[place.id].append(place)
    found = {}
    for identity, places in groups.items():
        stands, *others = sorted(places)
        if others:
            found[identity] = (stands, others)
    return found


def _near(
    documents: list[Path],
    signed: list[Path],
    copies: dict[str, tuple[_Place, list[_Place]]],
    settings: Settings,
    folder: Path,
    lists: _Lists,
) -> list[tuple[_Place, list[tuple[_Place, float]]]]:
    """[(survivor, [(dropped, similarity)])] of the clusters; their rows are added to ``lists``."""
    away: dict[int, list[int]] = defaultdict(list)
    for _, others in copies.values():
        for other in others:
            away[other.file].append(other.row)
    counts = [pq.read_metadata(path).num_rows for path in documents]
    rows = [np.setdiff1d(np.arange(count), away[file]) for file, count in enumerate(counts)]
    signatures = Signatures(signed, rows, settings)
    for path, mine, signed_count in zip(signed, counts, signatures.counts(), strict=True):
        if mine != signed_count:
            raise UserError(f"{path}: {signed_count} documents, its part has {mine}; sign again")
    compared = Documents(documents, rows, settings.shingle)
    with Near(compared, signatures, settings, folder) as near:
        return _listed(documents, compared, near, lists)


def _listed(
    documents: list[Path], compared: Documents, near: Near, lists: _Lists
) -> list[tuple[_Place, list[tuple[_Place, float]]]]:
    groups = near.clusters()
    wanted: dict[int, list[int]] = defaultdict(list)
    for group in groups:
        for number in group:
            file, row = compared.place(number)
            wanted[file].append(row)
    places = {
        (file, place.row): place
        for file, rows in wanted.items()
        for place in _places(file, documents[file], np.array(sorted(rows)))
    }
    found = []
    for group in groups:
        members = sorted((places[compared.place(number)], number) for number in group)
        (survivor, own), *others = members
        dropped = [(place, near.jaccard(number, own)) for place, number in others]
        for place, similarity in dropped:
            lists.add(place, "near", similarity, survivor)
        found.append((survivor, dropped))
    lists.facts = {
        "compared_documents": compared.count,
        "compared_pairs": near.compared,
        "accepted_pairs": near.accepted,
        "crowded_buckets": near.crowded,
    }
    return found


def _prefixes(path: Path) -> np.ndarray:
    """The first 64 bits of every id of a part, as uint64[rows]."""
    pieces = [np.empty(0, np.uint64)]
    for _, batch in batches(path, ["id"], _ROWS):
        heads = bytes.fromhex("".join(identity[:16] for identity in batch["id"]))
        pieces.append(np.frombuffer(heads, ">u8").astype(np.uint64))
    return np.concatenate(pieces)


def _repeated(documents: list[Path]) -> np.ndarray:
    """Sorted uint64 id prefixes that occur more than once: 8 bytes a document are held."""
    with Progress("duplicates", len(documents), "parts") as progress:
        found = []
        for path in documents:
            found.append(_prefixes(path))
            progress.add()
    every = np.concatenate(found) if found else np.empty(0, np.uint64)
    values, counts = np.unique(every, return_counts=True)
    return values[counts > 1]


def _places(file: int, path: Path, rows: np.ndarray) -> list[_Place]:
    """The documents in ``rows`` (ascending) of a part."""
    if not len(rows):
        return []
    source, found = path.parent.name, []
    for first, batch in batches(path, ["id", "path", "bytes", "heldout"], _ROWS):
        low, high = np.searchsorted(rows, [first, first + len(batch["id"])])
        for row in rows[low:high].tolist():
            held, where, identity, size = (
                batch[name][row - first] for name in ("heldout", "path", "id", "bytes")
            )
            found.append(_Place(not held, source, where, file, row, identity, size))
    return found


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
