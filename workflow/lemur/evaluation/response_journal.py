"""Responses on disk: appended as they come, continued after a kill, written out in a fixed order.

While a benchmark runs, responses are appended to ``responses/<fingerprint>.jsonl`` beside the
output, which no workflow engine deletes; the fingerprint is the digest of everything that bears
on a response, so responses of other settings are never taken up. The output,
``generations.jsonl``, is written from it when all are there: the settings on its first line, then
one response a line in the order of the requests.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from lemur.core.errors import UserError
from lemur.core.files import canonical
from lemur.core.lock import try_lock

FORM = 1  # of generations.jsonl
OPTIONAL = ("backend", "begin")  # settings that stand there where they are not the usual ones
HERE = ("computed",)  # settings that the machine which generates decides


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
        if not try_lock(self.file):
            self.file.close()
            raise UserError(f"{self.path}: another process is writing it")
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
                entry = _object(str(self.path), line)
            except UserError:
                continue  # damaged by the disk: asked again, and those after it are kept
            if _damage(entry) is None:
                self.known[entry["key"]] = entry
        self.file.truncate(good)  # a kill in the middle of a line loses that line alone
        self.file.seek(0, os.SEEK_END)

    def add(self, entry: dict[str, Any]) -> None:
        """Append one response and hand it to the operating system."""
        assert self.file is not None
        line = json.dumps(entry, ensure_ascii=True, sort_keys=True) + "\n"
        self.file.write(line.encode())
        self.file.flush()
        self.known[entry["key"]] = entry

    def finish(self, order: Iterable[dict[str, Any]]) -> bytes:
        """The bytes of ``generations.jsonl``: ``order`` gives each request's place and its key."""
        made = [json.dumps({"form": FORM, "settings": self.settings}, sort_keys=True)]
        for place in order:
            entry = {**self.known[place["key"]], **place}
            made.append(json.dumps(entry, ensure_ascii=True, sort_keys=True))
        for other in sorted(self.folder.glob("*.jsonl")):
            if other != self.path:
                other.unlink()
        return "".join(f"{line}\n" for line in made).encode()


def read(path: Path | str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Settings and responses by key of a ``generations.jsonl``; UserError by line where a kill of the
    disk or a hand has changed it."""
    entries: dict[str, dict[str, Any]] = {}
    try:
        with open(path, "rb") as file:
            settings = _settings(f"{path}: line 1", next(file, b""))
            for number, line in enumerate(file, 2):
                where = f"{path}: line {number}"
                entry = _object(where, line)
                if why := _damage(entry):
                    raise _damaged(where, why)
                if entry["key"] in entries:
                    raise _damaged(where, "its key stands there twice")
                entries[entry["key"]] = entry
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, where the file of generations should be") from None
    return settings, entries


def _damaged(where: str, why: str) -> UserError:
    return UserError(f"{where}: damaged ({why}): generate again")


def _object(where: str, line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except RecursionError:
        raise _damaged(where, "nested too deeply") from None
    except ValueError as error:
        raise _damaged(where, str(error)) from None
    if not isinstance(found, dict):
        raise _damaged(where, f"not an object, it is {type(found).__name__}")
    return found


def _settings(where: str, line: bytes) -> dict[str, Any]:
    """Of the first line; what they must say to be judged by is ``refuse_other``'s to compare."""
    head = _object(where, line)
    settings = head.get("settings")
    if not isinstance(settings, dict):
        raise _damaged(where, "it holds no settings")
    if head.get("form") != FORM:
        raise UserError(f"{where}: form {head.get('form')}, expected {FORM}: generate again")
    if not isinstance(settings.get("model_sha256"), str):
        raise _damaged(where, "its settings lack 'model_sha256'")
    return settings


def _damage(entry: dict[str, Any]) -> str | None:
    """What is wrong with a response's line; None where nothing is. Of which type a response must be
    the benchmark says."""
    for name, kind in (("key", str), ("finish", str), ("prompt", str), ("tokens", int)):
        if not isinstance(entry.get(name, "" if name in ("finish", "prompt") else 0), kind):
            return f"'{name}' must be {kind.__name__}"
    if entry.get("response") is None:
        return "it holds no response"
    return None


def refuse_other(path: Path | str, found: dict[str, Any], expected: dict[str, Any]) -> None:
    """UserError when generations were made with other settings than these, naming the first."""
    for name in sorted(set(expected) - set(HERE)):
        if name not in found and name not in OPTIONAL:
            raise _damaged(f"{path}: line 1", f"its settings lack '{name}'")
        if found.get(name) != expected[name]:
            was, now = canonical(found.get(name)), canonical(expected[name])
            raise UserError(f"{path}: made with {name} {was}, now {now}: generate again")
