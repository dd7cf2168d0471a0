"""Responses on disk: appended as they come, continued after a kill, written out in a fixed order.

While a benchmark runs, responses are appended to ``responses/<fingerprint>.jsonl`` beside the
output, which no workflow engine deletes; the fingerprint is the digest of everything that bears
on a response, so responses of other settings are never taken up. The output,
``generations.jsonl``, is written from it when all are there: the settings on its first line, then
one response a line in the order of the requests.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from lemur.errors import UserError
from lemur.files import canonical, replacing

FORM = 1  # of generations.jsonl


def fingerprint(settings: dict[str, Any]) -> str:
    """Short digest of ``settings``."""
    return hashlib.sha256(canonical(settings).encode()).hexdigest()[:16]


def key_of(kind: str, arguments: tuple[Any, ...], repeat: int) -> str:
    """Digest that identifies one request: its kind, its text and options, which repeat."""
    text = canonical([kind, list(arguments), repeat])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Journal:
    """Responses of one run of one benchmark, by key. One writer at a time."""

    def __init__(self, output: Path | str, settings: dict[str, Any]):
        self.output, self.settings = Path(output), settings
        self.folder = self.output.parent / "responses"
        self.path = self.folder / f"{fingerprint(settings)}.jsonl"
        self.known: dict[str, dict[str, Any]] = {}
        self.file: IO[bytes] | None = None

    def __enter__(self) -> "Journal":
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "a+b")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.close()
            raise UserError(f"{self.path}: another process is writing it") from None
        self._read()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.file is not None
        self.file.close()

    def _read(self) -> None:
        assert self.file is not None
        self.file.seek(0)
        good = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break
            good += len(line)
            try:
                entry = json.loads(line)
                if "response" in entry:
                    self.known[entry["key"]] = entry
            except (ValueError, KeyError, TypeError):
                continue  # damaged by the disk: asked again, and those after it are kept
        self.file.truncate(good)  # a kill in the middle of a line loses that line alone
        self.file.seek(0, os.SEEK_END)

    def add(self, entry: dict[str, Any]) -> None:
        """Append one response and hand it to the operating system."""
        assert self.file is not None
        line = json.dumps(entry, ensure_ascii=True, sort_keys=True) + "\n"
        self.file.write(line.encode())
        self.file.flush()
        self.known[entry["key"]] = entry

    def finish(self, order: Iterable[dict[str, Any]]) -> None:
        """Write ``generations.jsonl``: ``order`` gives each request's place and its key."""
        with replacing(self.output) as temporary, open(temporary, "w", encoding="utf-8") as out:
            out.write(json.dumps({"form": FORM, "settings": self.settings}, sort_keys=True) + "\n")
            for place in order:
                entry = {**self.known[place["key"]], **place}
                out.write(json.dumps(entry, ensure_ascii=True, sort_keys=True) + "\n")
        for other in sorted(self.folder.glob("*.jsonl")):
            if other != self.path:
                other.unlink()


def read(path: Path | str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Settings and responses by key of a ``generations.jsonl``."""
    entries: dict[str, dict[str, Any]] = {}
    try:
        with open(path, encoding="utf-8") as file:
            head = json.loads(next(file, "null"))
            if not isinstance(head, dict) or "settings" not in head:
                raise UserError(f"{path}: the first line holds no settings: generate again")
            if head.get("form") != FORM:
                raise UserError(f"{path}: form {head.get('form')}, expected {FORM}: generate again")
            for line in file:
                entry = json.loads(line)
                entries[entry["key"]] = entry
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, KeyError) as error:
        raise UserError(f"{path}: damaged ({error}): generate again") from None
    return head["settings"], entries


def refuse_other(path: Path | str, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """UserError when generations were made with other settings than these, naming the first."""
    for name in sorted(expected):
        if found.get(name) != expected[name]:
            was, now = canonical(found.get(name)), canonical(expected[name])
            raise UserError(f"{path}: made with {name} {was}, now {now}: generate again")
