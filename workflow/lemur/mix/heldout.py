"""The held-out documents that models are measured on: a sample that every run takes the same."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.errors import UserError, nearest
from lemur.files import replacing
from lemur.mix.documents import Shard, batches

FIELDS = ("id", "source", "path", "language", "text")


def _sources(spec: Mapping[str, Any]) -> list[str]:
    """Names of the sources of the wanted kind (entries are names, or tables with a kind)."""
    names = []
    for entry in spec["sources"]:
        if isinstance(entry, str):
            names.append(entry)
        elif entry.get("kind", spec["kind"]) == spec["kind"]:
            names.append(entry["name"])
    return names


def _rank(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def choose(spec: Mapping[str, Any], shards: Sequence[Shard]) -> list[dict[str, str]]:
    """Up to ``documents`` held-out documents of at most ``max_bytes`` bytes of text in all.

    Sources take turns, each in an order drawn from the seed and the documents' ids; a document
    that no longer fits is passed over, and of equal texts one is taken.
    """
    names = _sources(spec)
    known = {shard.source for shard in shards}
    for name in names:
        if name not in known:
            raise UserError(
                f"held-out {spec['kind']}: no documents of '{name}'{nearest(name, known)}"
            )
    queues: dict[str, list[tuple[str, Path, int]]] = {name: [] for name in names}
    seen: set[str] = set()
    for shard in sorted(shards):
        if shard.source in queues:
            for first, batch in batches(shard.path, ("id", "heldout"), 65536):
                for row, (name, held) in enumerate(
                    zip(batch["id"], batch["heldout"], strict=True), first
                ):
                    if held and name not in seen:
                        seen.add(name)
                        rank = _rank(spec["seed"], name)
                        queues[shard.source].append((rank, shard.path, row))
    for queue in queues.values():
        queue.sort(reverse=True)
    texts = _heldout_texts(shards, queues)
    chosen: list[dict[str, str]] = []
    room = spec["max_bytes"]
    while len(chosen) < spec["documents"] and any(queues.values()):
        for name in names:
            if queues[name] and len(chosen) < spec["documents"]:
                _, path, row = queues[name].pop()
                document = {**texts[path, row], "source": name}
                size = len(document["text"].encode())
                if size <= room:
                    room -= size
                    chosen.append({field: document[field] for field in FIELDS})
    if not chosen:
        raise UserError(
            f"held-out {spec['kind']}: none of {len(seen)} held-out documents fits into "
            f"{spec['max_bytes']} bytes; raise max_bytes or the held-out share"
        )
    return chosen


def _heldout_texts(
    shards: Sequence[Shard], queues: Mapping[str, Sequence[tuple[str, Path, int]]]
) -> dict[tuple[Path, int], dict[str, str]]:
    """The documents in the queues: held-out shares are small, so they are kept in memory."""
    wanted = {(path, row) for queue in queues.values() for _, path, row in queue}
    found: dict[tuple[Path, int], dict[str, str]] = {}
    for path in sorted({path for path, _ in wanted}):
        for first, batch in batches(path, ("id", "path", "language", "text")):
            for k in range(len(batch["id"])):
                if (path, first + k) in wanted:
                    found[path, first + k] = {key: batch[key][k] for key in batch}
    return found


def write(spec: Mapping[str, Any], shards: Sequence[Shard], out: Path) -> int:
    """Write the chosen documents as JSON lines; returns how many."""
    chosen = choose(spec, shards)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for document in chosen:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
    return len(chosen)
