"""The held-out documents that models are measured on: a sample that every run takes the same."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.core.errors import UserError, nearest
from lemur.core.files import replacing
from lemur.data.documents import Shard, batches

FIELDS = ("id", "source", "path", "language", "text")


@dataclass(frozen=True)
class HeldoutSpec:
    """``--spec``: so many documents of these sources, of each at most the first ``max_bytes`` bytes, or
    as many more as give about ``least_bytes`` in all (each ends with a line). ``kind``: code or text, for messages."""

    kind: str
    seed: int
    sources: tuple[str, ...]
    documents: int
    max_bytes: int
    least_bytes: int = 0


def _rank(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def beginning(text: str, size: int) -> str:
    """The first ``size`` bytes of a text at most, to the end of a line where one ends in them."""
    raw = text.encode()
    if len(raw) <= size:
        return text
    cut = raw[:size].decode(errors="ignore")
    lines = cut.rfind("\n") + 1
    return cut[:lines] if lines else cut


def level(lengths: Sequence[int], least: int) -> int:
    """The smallest number of bytes of each document, from which shorter ones lack the rest, that gives
    ``least`` bytes in all; the longest document's where all of them are fewer."""
    missing = least
    for place, length in enumerate(ordered := sorted(lengths)):
        share = -(-missing // (len(ordered) - place))
        if share <= length:
            return max(0, share)
        missing -= length
    return max(lengths, default=0)


def choose(spec: HeldoutSpec, shards: Sequence[Shard]) -> list[dict[str, str]]:
    """The beginnings of up to ``documents`` held-out documents: of ``max_bytes`` bytes at most, or, where
    these are fewer than ``least_bytes`` in all, of that greater number that gives so many.

    Sources take turns, each in an order drawn from the seed and the documents' ids, so that the
    choice does not depend on what else the corpus holds; of equal texts one is taken.
    """
    names = spec.sources
    known = {shard.source for shard in shards}
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise UserError(f"held-out {spec.kind}: no documents of '{name}'{near}")
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
                        rank = _rank(spec.seed, name)
                        queues[shard.source].append((rank, shard.path, row))
    for queue in queues.values():
        queue.sort(reverse=True)
    picked: list[tuple[str, Path, int]] = []
    while len(picked) < spec.documents and any(queues.values()):
        for name in names:
            if queues[name] and len(picked) < spec.documents:
                _, path, row = queues[name].pop()
                picked.append((name, path, row))
    if not picked:
        raise UserError(
            f"held-out {spec.kind}: no document of {', '.join(names) or 'no source'} is held "
            "out; raise heldout.share of the corpus"
        )
    found = _documents(picked)
    lengths = [len(found[path, row]["text"].encode()) for _, path, row in picked]
    size = max(spec.max_bytes, level(lengths, spec.least_bytes))
    return [
        {**found[path, row], "source": name, "text": beginning(found[path, row]["text"], size)}
        for name, path, row in picked
    ]


def _documents(picked: Sequence[tuple[str, Path, int]]) -> dict[tuple[Path, int], dict[str, str]]:
    """The fields of the picked documents."""
    wanted = {(path, row) for _, path, row in picked}
    found: dict[tuple[Path, int], dict[str, str]] = {}
    for path in sorted({path for path, _ in wanted}):
        for first, batch in batches(path, ("id", "path", "language", "text")):
            for k in range(len(batch["id"])):
                if (path, first + k) in wanted:
                    found[path, first + k] = {key: batch[key][k] for key in batch}
    return found


def write(spec: HeldoutSpec, shards: Sequence[Shard], out: Path) -> int:
    """Write the chosen documents as JSON lines; returns how many."""
    chosen = choose(spec, shards)
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for document in chosen:
            line = {field: document[field] for field in FIELDS}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return len(chosen)
