"""Which trajectory files are counted: their pins, and where their bytes lie.

The trajectories are those that the authors of MINT published with the benchmark
(repository ``xingyaoww/mint-bench``, ``data/outputs/``): one file a model, feedback setting and
task, one line an episode.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lemur.core.errors import UserError
from lemur.core.files import read_json, sha256_of

FIELDS = ("repository", "commit", "path", "sha256")


@dataclass(frozen=True)
class Run:
    """What a record's path says: ``.../<model>/F=<feedback>/[PHF=../]<limits>/<category>/<task>/``."""

    model: str
    feedback: str  # "none", or the model that gave natural-language feedback: "gpt-4"
    category: str
    task: str


@dataclass(frozen=True)
class Record:
    """One pinned file of trajectories."""

    repository: str
    commit: str
    path: str
    sha256: str

    @property
    def run(self) -> Run:
        """The run that the path names; a path of another shape is a ``UserError``."""
        parts = PurePosixPath(self.path).parts
        settings = [part for part in parts if part.startswith("F=")]
        if parts[-1:] != ("results.jsonl",) or len(settings) != 1 or len(parts) < 6:
            raise UserError(
                f"record {self.path}: expected .../<model>/F=<feedback>/.../<category>/<task>/"
                "results.jsonl"
            )
        feedback = settings[0].removeprefix("F=")
        # The dated name of the feedback model is the record's; the paper and its tables say gpt-4.
        feedback = {"None": "none", "gpt-4-0613": "gpt-4"}.get(feedback, feedback)
        return Run(parts[parts.index(settings[0]) - 1], feedback, parts[-3], parts[-2])


def from_spec(spec: dict[str, Any]) -> list[Record]:
    """``{"records": [{repository, commit, path, sha256}]}``, or the path of a table with those columns."""
    given = spec.get("records")
    if isinstance(given, str):
        return read_table(Path(given))
    if not isinstance(given, list) or not given:
        raise UserError("--spec: records: expected a list of records or the path of their table")
    for number, entry in enumerate(given):
        for field in FIELDS:
            if not isinstance(entry, dict) or not isinstance(entry.get(field), str):
                raise UserError(
                    f"--spec: records[{number}]: no text '{field}' (needs {', '.join(FIELDS)})"
                )
    return [Record(*(entry[field] for field in FIELDS)) for entry in given]


def read_table(path: Path) -> list[Record]:
    """``reports/paper/mint_records.tsv``: the pins of every record that was counted."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    missing = [field for field in FIELDS if rows and field not in rows[0]]
    if not rows or missing:
        raise UserError(f"{path}: no column '{missing[0]}'" if missing else f"{path}: no records")
    return [Record(*(row[field] for field in FIELDS)) for row in rows]


class Store:
    """Finds a record's bytes in a download manifest (by sha256) or in a mirror folder (by path)."""

    def __init__(self, places: Sequence[Path]) -> None:
        self.mirrors: list[Path] = []
        self.by_sha256: dict[str, Path] = {}
        for place in places:
            if place.is_dir():
                self.mirrors.append(place)
                continue
            manifest = read_json(place)
            if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), list):
                raise UserError(f"{place}: not a download manifest (no list 'files')")
            for file in manifest["files"]:
                self.by_sha256[file["sha256"]] = place.parent / file["path"]

    def find(self, record: Record) -> Path:
        """The record's file, its sha256 verified; a missing or changed one is a ``UserError``."""
        known = [self.by_sha256[record.sha256]] if record.sha256 in self.by_sha256 else []
        known += [m / record.repository / record.commit / record.path for m in self.mirrors]
        for path in known:
            if not path.is_file():
                continue
            found = sha256_of(path)
            if found != record.sha256:
                raise UserError(
                    f"{record.path}: sha256 is {found}, the pin says {record.sha256}: wrong file"
                )
            return path
        where = " and ".join(str(mirror) for mirror in self.mirrors) or "the manifest"
        raise UserError(f"record {record.repository}/{record.path}: not in {where}")
