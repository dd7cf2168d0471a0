"""One problem as it was asked, answered and judged, and the file that holds all of a benchmark."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.core.files import replacing


@dataclasses.dataclass(frozen=True)
class Sample:
    """A problem of a benchmark.

    ``task`` and ``document`` name it, as in ``verdicts.jsonl``. ``prompt`` is what the model was given,
    whole; ``target`` the reference answer; ``choices`` what it chose from, where it did; ``responses``
    what it said, one a repeat, or the choice that it found likeliest, or nothing where a text's
    likelihood was measured. ``answer`` is what was read from the first response where a rule reads one.
    ``verdict`` is the judge's word and ``correct`` what it means: None where nothing was judged. ``score``
    is the number behind it: 0 or 1, or bits per byte. ``tokens`` counts those of the responses.
    """

    task: str
    document: str
    prompt: str
    target: str
    responses: tuple[str, ...]
    choices: tuple[str, ...]
    answer: str
    verdict: str
    detail: str
    correct: bool | None
    score: float | None
    finish: str
    tokens: int


def write(path: Path, samples: Iterable[Sample]) -> None:
    """One JSON object a line, in ASCII: what a model says may be no text that UTF-8 can hold."""
    lines = [json.dumps(dataclasses.asdict(sample), sort_keys=True) + "\n" for sample in samples]
    with replacing(path) as temporary:
        temporary.write_text("".join(lines), encoding="ascii")


def read(path: Path) -> list[Sample]:
    """The samples of ``path``; UserError that names the line where one is damaged."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    for number, line in enumerate(lines, 1):
        try:
            found.append(_sample(json.loads(line)))
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{path}: line {number}: not a sample ({error})") from None
    return found


def _sample(value: dict[str, Any]) -> Sample:
    lists = {name: tuple(value[name]) for name in ("responses", "choices")}
    return Sample(**{**value, **lists})
