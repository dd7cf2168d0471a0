"""Responses on disk: appended as they come, continued after a kill, written out in a fixed order.

While a benchmark runs, responses are appended to ``responses/<fingerprint>.jsonl`` beside the
output, which no workflow engine deletes; the fingerprint is the digest of everything that bears
on a response, so responses of other settings are never taken up. The output,
``generations.jsonl``, is written from it when all are there: the settings on its first line, then
one response a line in the order of the requests.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import canonical
from lemur.core.lock import try_lock
from lemur.evaluation.fingerprint import Settings

FORM = 1  # of generations.jsonl
HERE = ("computed",)  # settings that the machine which generates decides


@dataclasses.dataclass(frozen=True)
class Head:
    """The first line of ``generations.jsonl``."""

    form: int
    """Version of the file's form."""
    settings: Settings
    """Everything that bears on the responses."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model answered to one request."""

    response: str | tuple[float, bool] | float
    """A text without the stop text that ended it; of a continuation its log-likelihood in nats and
    whether it is the greedy one; of a whole document its log-likelihood in nats."""
    tokens: int = 0
    """Tokens of the text, the continuation or the document."""
    finish: str | None = contracts.optional()
    """Of a text: why it ended (stop: a text, end: a token, length); refused, where a server did."""
    truncated: int | None = contracts.optional()
    """Of a text: tokens of the prompt's beginning that did not fit the model's context."""
    shots: int | None = contracts.optional()
    """Solved examples in the prompt, where these are fewer than were asked for."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Response(Answer):
    """An answer as it is kept when it comes: a line of ``responses/<fingerprint>.jsonl``."""

    key: str
    """Digest of the request: its kind, its text and options, which repeat."""
    prompt: str | None = contracts.optional()
    """The sha256 of the prompt as the model got it, in hexadecimal digits."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where a response belongs."""

    key: str
    """The response's."""
    task: str
    """The task of lm-eval that the problem is of."""
    document: str
    """The problem's own name."""
    choice: int
    """Number of the choice whose likelihood was asked; 0 of texts."""
    repeat: int
    """Number of the answer to one and the same prompt."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generation(Place, Response):
    """A response with its place: a line of ``generations.jsonl``, after the first."""


def fingerprint(settings: Settings) -> str:
    """Short digest of ``settings``."""
    return hashlib.sha256(canonical(contracts.plain(settings)).encode()).hexdigest()[:16]


def key_of(kind: str, arguments: tuple[Any, ...], repeat: int) -> str:
    """Digest that identifies one request: its kind, its text and options, which repeat."""
    text = canonical([kind, list(arguments), repeat])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Journal:
    """Responses of one run of one benchmark, by key. One writer at a time."""

    def __init__(self, output: Path | str, settings: Settings):
        self.output, self.settings = Path(output), settings
        self.folder = self.output.parent / "responses"
        self.path = self.folder / f"{fingerprint(settings)}.jsonl"
        self.known: dict[str, Response] = {}
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
                entry = contracts.read_line(Response, line, str(self.path))
            except UserError:
                continue  # damaged by the disk: asked again, and those after it are kept
            self.known[entry.key] = entry
        self.file.truncate(good)  # a kill in the middle of a line loses that line alone
        self.file.seek(0, os.SEEK_END)

    def add(self, entry: Response) -> None:
        """Append one response and hand it to the operating system."""
        assert self.file is not None
        self.file.write(contracts.line(entry).encode())
        self.file.flush()
        self.known[entry.key] = entry

    def finish(self, order: Iterable[Place]) -> bytes:
        """The bytes of ``generations.jsonl``: ``order`` gives each request's place."""
        head = {"form": FORM, "settings": contracts.plain(self.settings)}
        made = [json.dumps(head, sort_keys=True) + "\n"]
        for place in order:
            made.append(contracts.line(Generation(**vars(self.known[place.key]) | vars(place))))
        for other in sorted(self.folder.glob("*.jsonl")):
            if other != self.path:
                other.unlink()
        return "".join(made).encode()


def read(path: Path | str) -> tuple[Settings, dict[str, Generation]]:
    """Settings and responses by key of a ``generations.jsonl``; UserError by line where a kill of the
    disk or a hand has changed it."""
    entries: dict[str, Generation] = {}
    try:
        with open(path, "rb") as file:
            head = _line(Head, next(file, b""), f"{path}: line 1")
            if head.form != FORM:
                raise UserError(
                    f"{path}: line 1: form {head.form}, expected {FORM}: generate again"
                )
            for number, line in enumerate(file, 2):
                entry = _line(Generation, line, f"{path}: line {number}")
                if entry.key in entries:
                    raise UserError(
                        f"{path}: line {number}: damaged (its key stands there twice): generate again"
                    )
                entries[entry.key] = entry
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, where the file of generations should be") from None
    return head.settings, entries


def _line(kind: type[contracts.Contract], line: bytes, where: str) -> contracts.Contract:
    try:
        return contracts.read_line(kind, line, "damaged")
    except UserError as error:
        why = str(error).removeprefix("damaged: ")
        raise UserError(f"{where}: damaged ({why}): generate again") from None


def refuse_other(path: Path | str, found: Settings, expected: Settings) -> None:
    """UserError when generations were made with other settings than these, naming the first. Which model
    made them nobody who judges them has to know."""
    was, now = contracts.plain(found), contracts.plain(expected)
    for name in sorted(now.keys() - {*HERE, "model_sha256"}):
        if was.get(name) != now[name]:
            raise UserError(
                f"{path}: made with {name} {canonical(was.get(name))}, now {canonical(now[name])}: "
                "generate again"
            )
