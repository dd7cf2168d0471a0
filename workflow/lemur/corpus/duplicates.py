"""Exact duplicates across a corpus, as one drop list a source: documents are never rewritten."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lemur.corpus.names import part_of
from lemur.errors import UserError
from lemur.files import write_text
from lemur.progress import Progress

HEADER = "part\trow\tid\tkept_source\tkept_path\n"


def run(spec: dict[str, Any], documents: list[Path], out: Path) -> None:
    """Write ``<out>/<source>/duplicates.tsv`` for every source of ``spec["sources"]``.

    A source is the name of a parquet's folder. Of equal documents (same sha256 of the text) the
    one whose (source, path) is first in alphabetical order survives: a rule that does not depend
    on the order of sources, files or parts. Columns: part, row (0-based in that part), id,
    kept_source, kept_path; tabs, line ends and backslashes in a path are escaped.
    """
    names = list(spec["sources"])
    for path in documents:
        if path.parent.name not in names:
            raise UserError(
                f"{path}: its folder {path.parent.name!r} is none of {', '.join(names)}"
            )
    repeated = _repeated(documents)
    groups: dict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
    for path in documents:
        source, part = path.parent.name, part_of(path)
        for row, identity, where in _rows_of(path, repeated):
            groups[identity].append((source, where, part, row))
    lists: dict[str, list[tuple[int, int, str, str, str]]] = {name: [] for name in names}
    for identity, places in groups.items():
        kept, *others = sorted(places)
        for source, _, part, row in others:
            lists[source].append((part, row, identity, kept[0], kept[1]))
    for name in names:
        lines = [
            f"{part}\t{row}\t{identity}\t{source}\t{_escaped(where)}\n"
            for part, row, identity, source, where in sorted(lists[name])
        ]
        write_text(out / name / "duplicates.tsv", HEADER + "".join(lines))


def _prefixes(path: Path) -> np.ndarray:
    """The first 64 bits of every id of a part, as uint64[rows]."""
    ids = pq.read_table(path, columns=["id"])["id"]
    heads = pc.utf8_slice_codeunits(ids, 0, 16).to_pylist()
    return np.array([int(head, 16) for head in heads], dtype=np.uint64)


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


def _rows_of(path: Path, repeated: np.ndarray) -> list[tuple[int, str, str]]:
    """(row, id, path) of a part's documents whose id prefix is among ``repeated``."""
    rows = np.flatnonzero(np.isin(_prefixes(path), repeated))
    if not len(rows):
        return []
    table = pq.read_table(path, columns=["id", "path"]).take(rows)
    columns = (rows.tolist(), table["id"].to_pylist(), table["path"].to_pylist())
    return list(zip(*columns, strict=True))


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
