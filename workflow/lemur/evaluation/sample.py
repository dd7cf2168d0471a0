"""One problem as it was asked, answered and judged, and the file that holds all of a benchmark."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from lemur.core import contracts


@dataclasses.dataclass(frozen=True)
class Sample:
    """A problem of a benchmark, a line of ``samples.jsonl``."""

    task: str
    """The task of lm-eval that the problem is of."""
    document: str
    """The problem's own name, unique in its benchmark."""
    prompt: str
    """What the model was given, whole."""
    target: str
    """The reference answer."""
    responses: tuple[str, ...]
    """What the model said, one a repeat, or the choice that it found likeliest; none where a text's
    likelihood was measured."""
    choices: tuple[str, ...]
    """What it chose from, where it did."""
    answer: str
    """What was read from the first response, where a rule reads something."""
    verdict: str
    """The judge's word."""
    detail: str
    """Of a program: why, in one line."""
    correct: bool | None
    """What the verdict means; null where nothing was judged."""
    score: float | None
    """The number behind it: a share of the answers from 0 to 1, or bits per byte."""
    finish: str
    """Why the first response ended."""
    tokens: int
    """Tokens of all responses."""


def write(path: Path, samples: Iterable[Sample]) -> None:
    """A line a sample, in their order."""
    contracts.write_lines(path, samples)


def read(path: Path) -> list[Sample]:
    """The samples of ``path``; UserError that names the line where one is damaged."""
    return list(contracts.read_lines(Sample, path))
