"""Drop lists: tab-separated files of documents that a packing leaves out, and why."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from lemur.core.errors import UserError

OVERLAPS = ("source", "part", "row", "id", "benchmark", "item", "matched")


def _rows(path: Path, columns: Sequence[str]) -> Iterable[dict[str, str]]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            table = csv.DictReader(file, delimiter="\t")
            absent = sorted(set(columns) - set(table.fieldnames or ()))
            if absent:
                raise UserError(f"{path}: lacks the column {', '.join(absent)}")
            yield from table
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None


def _place(path: Path, row: dict[str, str]) -> tuple[int, int]:
    try:
        return int(row["part"]), int(row["row"])
    except (TypeError, ValueError):
        raise UserError(f"{path}: part and row must be numbers, found {row}") from None


def read_overlaps(path: Path) -> dict[str, set[tuple[int, int]]]:
    """{source: {(part, row)}} of a list of overlaps with benchmarks."""
    found: dict[str, set[tuple[int, int]]] = {}
    for row in _rows(path, ("source", "part", "row")):
        found.setdefault(row["source"], set()).add(_place(path, row))
    return found


def read_duplicates(
    paths: Iterable[Path], reason: str | None = None
) -> dict[str, set[tuple[int, int]]]:
    """{source: {(part, row)}} of ``<source>/duplicates.tsv`` files; of one reason, or all."""
    found: dict[str, set[tuple[int, int]]] = {}
    for path in map(Path, paths):
        source = path.resolve().parent.name
        found.setdefault(source, set()).update(
            _place(path, row)
            for row in _rows(path, ("part", "row") if reason is None else ("part", "row", "reason"))
            if reason is None or row["reason"] == reason
        )
    return found


def overlap_counts(path: Path) -> dict[str, Counter[str]]:
    """{benchmark: {documents, problems}}: how many documents hold some of it, and how much of it."""
    documents: dict[str, set[tuple[str, str, str]]] = {}
    problems: dict[str, set[str]] = {}
    for row in _rows(path, OVERLAPS):
        documents.setdefault(row["benchmark"], set()).add((row["source"], row["part"], row["row"]))
        problems.setdefault(row["benchmark"], set()).add(row["item"])
    return {
        name: Counter(documents=len(documents[name]), problems=len(problems[name]))
        for name in sorted(documents)
    }
