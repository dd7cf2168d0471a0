"""What judging says of each problem: the lines of ``verdicts.jsonl``."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.files import replacing

PASSED, FAILED, SCORED, NOT_JUDGED = "passed", "failed", "scored", "not judged"
FILE = "verdicts.jsonl"


@dataclasses.dataclass(frozen=True)
class ProblemVerdict:
    """One problem, a line of ``verdicts.jsonl``, which lies beside ``scores.json``."""

    task: str
    """The task of lm-eval that the problem is of."""
    document: str
    """The problem's own name, unique in its benchmark."""
    verdict: str
    """Of the first answer: passed, failed, scored (of bits), not judged, or how its program ended
    otherwise (error, timeout, out of memory, forbidden)."""
    prompt_sha256: str = ""
    """The sha256 of the prompt as the model got it, in hexadecimal digits."""
    detail: str | None = None
    """Of a program: why, in one line; empty where it passed."""
    samples: tuple[str, ...] | None = None
    """The verdicts on all answers in the order in which they were drawn, where there are several."""
    second: str | None = None
    """Of a program: the verdict on the first answer as another rule cuts or runs it."""
    answer: str | None = None
    """Where answers are compared: what was read out of the first, its first 200 characters."""
    target: str | None = None
    """Where answers are compared: what was asked for, its first 200 characters."""
    bits: float | None = None
    """Where bits are counted: what the model needs for the document, to 4 decimals."""
    bytes: int | None = None
    """Where bits are counted: the document's UTF-8 bytes."""
    notes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What else the benchmark's judge says, each a key of the line itself: verdicts by other rules
    (paper, strict, one_process), whether it is right only without its punctuation
    (otherwise_written)."""

    @classmethod
    def parse(cls, line: Mapping[str, Any]) -> "ProblemVerdict":
        """From the object of a line. Raises KeyError, TypeError or ValueError for another one."""
        known = {field.name for field in dataclasses.fields(cls)} - {"notes"}
        values = {name: value for name, value in line.items() if name in known}
        for name in ("task", "document", "verdict"):
            if not isinstance(line[name], str):
                raise TypeError(f"'{name}' is no text")
        samples = values.pop("samples", None)
        notes = {name: value for name, value in line.items() if name not in known}
        return cls(**values, samples=None if samples is None else tuple(samples), notes=notes)

    def line(self) -> str:
        """The text of the line, with its keys in order."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        notes = given.pop("notes")
        kept = {name: value for name, value in given.items() if value is not None} | dict(notes)
        return json.dumps(kept, ensure_ascii=True, sort_keys=True) + "\n"

    @property
    def name(self) -> tuple[str, str]:
        """What tells the problem from others of its benchmark."""
        return self.task, self.document


def write_verdicts(path: Path, verdicts: Iterable[ProblemVerdict]) -> None:
    """Write ``verdicts.jsonl``, whole or not at all."""
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as out:
        out.writelines(verdict.line() for verdict in verdicts)


def read_verdicts(scores: Path) -> Iterator[ProblemVerdict]:
    """The verdicts beside ``scores`` (a scores.json).

    Raises:
        UserError: there are none, or a line is damaged.
    """
    path = scores.with_name(FILE)
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield ProblemVerdict.parse(json.loads(line))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not verdicts ({error})") from None
