"""A recipe's instruction data: so many conversations of each source, chosen by the seed."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lemur.chat import chatml
from lemur.core.errors import UserError, nearest
from lemur.core.files import canonical, read_json, replacing
from lemur.core.log import logger
from lemur.core.own_code import load_folder
from lemur.core.progress import Progress
from lemur.data.documents import Shard
from lemur.mixture.decontaminate import Index
from lemur.sft import chats, docstrings, eg, instructions
from lemur.sft.instructions import Messages, Skipped
from lemur.sft.reader import Reader

READERS: dict[str, Callable[[Path], Iterator[Messages | Skipped]]] = {
    "eg": eg.conversations,
    "chitchat": chats.chitchat,
    "chatterbot": chats.chatterbot,
    "jsonl": instructions.conversations,
    "hub": instructions.conversations,
}
DOCSTRING = "docstring"
OWN = "own"
CODE = ("eg", DOCSTRING)
ENOUGH = 2  # functions looked at for each one taken: parsing a whole corpus for a few is waste


def name_of(messages: Messages) -> str:
    """A conversation's id: the beginning of the sha256 of its canonical JSON."""
    return hashlib.sha256(canonical(messages).encode()).hexdigest()[:16]


def kind_of(form: str, messages: Messages) -> str:
    """Whether a conversation is about code or text, by its source's format and what is answered."""
    said = (message["content"] for message in messages if message["role"] == "assistant")
    return "code" if form in CODE or any("```" in content for content in said) else "text"


def _overlaps(index: Index | None, messages: Messages) -> bool:
    return index is not None and any(
        next(index.matches(message["content"]), None) is not None for message in messages
    )


@dataclass
class Counts:
    """Of one source: conversations ``found`` and ``taken``, and why others could not be read."""

    found: int = 0
    taken: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def readable(self, read: Iterable[Messages | Skipped]) -> Iterator[Messages]:
        """The conversations among ``read``; what is left out is counted by its reason."""
        for messages in read:
            reason = str(messages) if isinstance(messages, Skipped) else _unwritable(messages)
            if reason:
                self.left_out[reason] += 1
            else:
                self.found += 1
                yield messages

    def described(self) -> str:
        """The counts for a line of the log."""
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(self.left_out.items()))
        left_out = f"; {self.left_out.total()} left out: {reasons}" if reasons else ""
        return f"{self.taken} of {self.found} conversations{left_out}"


def _unwritable(messages: Messages) -> str | None:
    """JSON can spell half of a surrogate pair, which is no character and has no UTF-8."""
    try:
        canonical(messages).encode()
    except UnicodeEncodeError:
        return "a lone surrogate"
    return None


def choose(
    found: Iterable[Messages], examples: int, seed: int, taken: set[str], index: Index | None
) -> list[tuple[str, Messages]]:
    """``examples`` conversations at most, in an order drawn from the seed and their ids.

    A conversation that was taken before, or that overlaps a benchmark, is passed over; ``taken``
    gains the ids of those chosen.
    """
    by_name = {name_of(messages): messages for messages in found}
    ranked = sorted(by_name, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    chosen: list[tuple[str, Messages]] = []
    for name in ranked:
        if len(chosen) == examples:
            break
        if name not in taken and not _overlaps(index, by_name[name]):
            chatml.check(by_name[name])
            taken.add(name)
            chosen.append((name, by_name[name]))
    return chosen


def manifests_by_source(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The manifests of downloads by the name of what was downloaded."""
    by_name: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        by_name.setdefault(read_json(path)["name"], []).append(path)
    return by_name


def gather(
    spec: Mapping[str, Any],
    manifests: Sequence[Path],
    documents: Sequence[Shard],
    dropped: dict[str, set[tuple[int, int]]],
    index: Index | None,
    counts: dict[str, Counts],
) -> Iterator[dict[str, Any]]:
    """The lines of ``conversations.jsonl``, source by source in the recipe's order.

    ``counts`` gains what each source gave; a source that gives nothing is a ``UserError``.
    """
    by_name = manifests_by_source(manifests)
    taken: set[str] = set()
    with Progress("conversations", len(spec["sources"]), "sources") as progress:
        for entry in spec["sources"]:
            name, form = entry["name"], entry["format"]
            count = counts.setdefault(name, Counts())
            found = read_source(entry, by_name, documents, dropped, spec["seed"])
            read = count.readable(found)
            chosen = choose(read, entry["examples"], spec["seed"], taken, index)
            count.taken = len(chosen)
            if not chosen:
                where = f"{len(documents)} document files" if form == DOCSTRING else "its archive"
                raise UserError(
                    f"sft.sources.{name}: no conversation to take in {where}: {count.described()}"
                )
            if count.left_out:
                logger.info(f"conversations: {name}: {count.described()}")
            for number, messages in chosen:
                kind = kind_of(form, messages)
                yield {"id": number, "source": name, "kind": kind, "messages": messages}
            progress.add(1, f"{name}: {len(chosen)} conversations")


def read_source(
    entry: Mapping[str, Any],
    by_name: Mapping[str, Sequence[Path]],
    documents: Sequence[Shard],
    dropped: dict[str, set[tuple[int, int]]],
    seed: int,
) -> Iterator[Messages | Skipped]:
    """What a source has to give: of documents, functions enough for the entry's ``examples``; of an
    archive (``by_name`` has its manifests), everything.

    Raises:
        UserError: the entry's format or its archive is unknown.
    """
    name, form = entry["name"], entry["format"]
    if form == DOCSTRING:
        return docstrings.conversations(documents, dropped, seed, ENOUGH * entry["examples"])
    if form not in (*READERS, OWN):
        allowed = [*READERS, DOCSTRING, OWN]
        raise UserError(f"sft.sources.{name}: unknown format '{form}'{nearest(form, allowed)}")
    if name not in by_name:
        raise UserError(f"sft.sources: no manifest of '{name}'{nearest(name, by_name)}")
    reader = _own_reader(entry) if form == OWN else READERS[form]
    return (conversation for path in by_name[name] for conversation in reader(path))


def _own_reader(entry: Mapping[str, Any]) -> Callable[[Path], Iterator[Messages | Skipped]]:
    """What reads a source of the format ``own``; ``path`` is the folder of its class ``READER``."""
    if "path" not in entry:
        raise UserError(f"sft.sources.{entry['name']}: format own: its entry names no path")
    return load_folder(Path(entry["path"]), "lemur.sft", "READER", Reader)().conversations


def write(lines: Iterable[Mapping[str, Any]], out: Path) -> int:
    """Write JSON lines, whole or not at all; returns how many."""
    count = 0
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count
