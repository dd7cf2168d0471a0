"""What other runs of this folder did differently: resolved recipes, key by key."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.core.files import read_json

MOST = 8  # runs shown: those that differ least
ABSENT = "(not there)"
LONGEST = 200  # characters of a value


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """``{dotted.key: value}``; a list's entries by their ``name`` where they have one."""
    if isinstance(value, Mapping) and value:
        pairs = [(str(key), inside) for key, inside in value.items()]
    elif isinstance(value, list) and value and all(_named(item) for item in value):
        pairs = [(str(item["name"]), item) for item in value]
    else:
        return {prefix: value}
    return {
        key: inside
        for name, entry in pairs
        for key, inside in flat(entry, f"{prefix}.{name}" if prefix else name).items()
    }


def _named(item: Any) -> bool:
    return isinstance(item, Mapping) and "name" in item


def _text(values: Mapping[str, Any], key: str, longest: int) -> str:
    if key not in values:
        return ABSENT
    shown = json.dumps(values[key], ensure_ascii=False, sort_keys=True)
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def compared(
    first: Mapping[str, Any], second: Mapping[str, Any], longest: int = LONGEST
) -> list[tuple[str, str, str]]:
    """(key, value in the first, value in the second) of all that differs, by key."""
    mine, theirs, missing = flat(first), flat(second), object()
    return [
        (key, _text(mine, key, longest), _text(theirs, key, longest))
        for key in sorted({*mine, *theirs})
        if mine.get(key, missing) != theirs.get(key, missing)
    ]


@dataclass(frozen=True)
class Other:
    """Another run's recipe. ``rows``: (key, value here, value there)."""

    title: str
    rows: list[tuple[str, str, str]]


def others(recipe: Mapping[str, Any], paths: Iterable[Path]) -> tuple[list[Other], int]:
    """The runs that differ least, and how many more there are."""
    found = []
    for path in sorted(paths):
        other = read_json(path)
        name = other.get("name", "?") if isinstance(other, Mapping) else "?"
        found.append(Other(f"{name} {path.stem}", compared(recipe, other)))
    found.sort(key=lambda other: (len(other.rows), other.title))
    return found[:MOST], max(len(found) - MOST, 0)
