"""What is packed on its own: a source, or each language of one whose languages have weights."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lemur.tokenization.selection import Source


def strata(
    plan: Mapping[str, Any], sources: Mapping[str, Source]
) -> Iterator[tuple[dict[str, Any], Source]]:
    """(entry, documents) of every stratum, in the plan's order.

    A language's stratum is named ``<source>/<language>``, so that its order is its own; its entry
    has the source's other keys.
    """
    for entry in plan["sources"]:
        source = sources[entry["name"]]
        if not entry.get("languages"):
            yield dict(entry), source
        for part in entry.get("languages") or ():
            name = f"{entry['name']}/{part['name']}"
            yield {**entry, **part, "name": name}, select_language(source, part["name"], name)


def select_language(source: Source, language: str, name: str) -> Source:
    """The usable documents of ``source`` in one language."""
    number = source.languages.index(language) if language in source.languages else -1
    mine = source.language == number
    columns = {key: getattr(source, key)[mine] for key in ("file", "start", "length", "language")}
    return replace(source, name=name, **columns)


def joined(
    plan: Mapping[str, Any], sources: Mapping[str, Source], packed: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """``realised.json``'s entry of every source, from those of its strata by their names."""
    entries = []
    for entry in plan["sources"]:
        parts = entry.get("languages")
        if not parts:
            entries.append(packed[entry["name"]])
            continue
        mine = [packed[f"{entry['name']}/{part['name']}"] for part in parts]
        sums = {
            key: int(np.sum([counts_of[key] for counts_of in mine]))
            for key in ("planned_tokens", "tokens", "sequences", "documents")
        }
        whole = sources[entry["name"]].tokens
        entries.append(
            {
                **mine[0],
                **sums,
                "name": entry["name"],
                "epochs": sums["tokens"] / whole if whole else 0.0,
                "languages": [
                    {"name": part["name"]}
                    | {
                        key: counts_of[key]
                        for key in ("planned_tokens", "tokens", "sequences", "epochs")
                    }
                    for part, counts_of in zip(parts, mine, strict=True)
                ],
            }
        )
    return entries
