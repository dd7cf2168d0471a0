"""Real documents as every tool can read them: parquet parts a kind, as they are before cleaning."""

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from lemur.config import stages
from lemur.core import contracts
from lemur.core.files import write_json
from lemur.corpus import filters
from lemur.corpus.candidates import list_candidates
from lemur.corpus.source_rules import Rules
from lemur.corpus.spec import CleanSpec

KINDS = ("code", "text")
PARTS = 2
SCHEMA = pa.schema([(name, pa.string()) for name in ("text", "id", "path", "licence")])


def _candidates(recipe: dict[str, Any], kind: str, downloads: Path) -> Iterator[tuple[str, ...]]:
    """(text, id, path, licence) of what a recipe's sources of one kind would read."""
    for source in recipe["corpus"]["sources"]:
        if source["kind"] != kind:
            continue
        spec = contracts.read(CleanSpec, stages.clean(recipe, source["name"]), source["name"])
        rules = Rules(spec.source, spec.cleaning)
        for part in range(source.get("parts", 1)):
            name = f"part-{part}-of-{source.get('parts', 1)}"
            manifest = downloads / source["name"] / name / "manifest.json"
            for found in list_candidates(spec.source, manifest):
                if rules.unread(found) or not found.licence:
                    continue
                text = filters.decoded(found.read())
                if text is not None and rules.language(found, text) in rules.languages:
                    place = f"{source['name']}/{found.path}"
                    yield text, place, place, found.licence


def made(recipe: dict[str, Any], downloads: Path, out: Path) -> dict[str, int]:
    """Write ``<out>/<kind>/part-<i>-of-2/{manifest.json,files/}``; bytes of text a kind."""
    sizes = {}
    for kind in KINDS:
        rows = list(_candidates(recipe, kind, downloads))
        random.Random(0).shuffle(rows)
        sizes[kind] = sum(len(row[0].encode()) for row in rows)
        for part in range(PARTS):
            write(out / kind / f"part-{part}-of-{PARTS}", [rows[part::PARTS]])
    return sizes


def write(folder: Path, groups: Iterator[list[tuple]] | list[list[tuple]]) -> None:
    """One parquet file of row groups, and the manifest that a download would leave."""
    path = folder / "files" / f"{folder.name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for rows in groups:
            for at in range(0, len(rows), 500):
                columns = list(zip(*rows[at : at + 500], strict=True))
                arrays = [pa.array(list(column), pa.string()) for column in columns]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))
    write_json(
        folder / "manifest.json",
        {"files": [{"path": f"files/{path.name}", "size": path.stat().st_size}]},
    )


def renamed(rows: list[tuple], seed: int) -> list[tuple]:
    """Copies in which every word is another one: letters changed by one seeded substitution."""
    rng = random.Random(seed)
    table = {}
    for letters in (string.ascii_lowercase, string.ascii_uppercase):
        other = list(letters)
        rng.shuffle(other)
        table |= dict(zip(map(ord, letters), other, strict=True))
    return [
        (text.translate(table), f"{seed}/{place}", f"{seed}/{place}", licence)
        for text, place, _, licence in rows
    ]


def scaled(rows: list[tuple], megabytes: float, folder: Path) -> None:
    """One part of ``megabytes`` of text from renamed copies of ``rows``."""

    def groups() -> Iterator[list[tuple]]:
        left, seed = megabytes * 1e6, 0
        while left > 0:
            copies, seed = renamed(rows, seed), seed + 1
            taken = []
            for row in copies:
                if left <= 0:
                    break
                taken.append(row)
                left -= len(row[0].encode())
            yield taken

    write(folder, groups())


def rows_of(folder: Path) -> list[tuple]:
    """All rows of a kind's parts."""
    return [
        tuple(row[name] for name in SCHEMA.names)
        for path in sorted(folder.glob("part-*/files/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]


def specification(recipe: dict[str, Any], kind: str, less: tuple[str, ...] = ()) -> str:
    """The cleaning of a recipe's first source of a kind, for the made parquet; JSON.

    ``less``: measures that are left out.
    """
    first = next(x for x in recipe["corpus"]["sources"] if x["kind"] == kind)
    spec = stages.clean(recipe, first["name"])
    spec["source"] = {
        "name": kind,
        "kind": kind,
        "format": "parquet",
        "text_field": "text",
        "path_field": "path",
        "licence_field": "licence",
        "licence": "mixed",
    }
    spec["max_mb"] = None
    chosen = recipe["corpus"]["cleaning"]["filters"][kind]
    spec["cleaning"]["filters"] = [
        {key: value for key, value in one.items() if key != "source"}
        for one in chosen
        if one["measure"] not in less
    ]
    return json.dumps(spec)
