"""What judging says of each problem: the lines of ``verdicts.jsonl``."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from lemur.core import contracts

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
    detail: str | None = contracts.optional()
    """Of a program: why, in one line; empty where it passed."""
    samples: tuple[str, ...] | None = contracts.optional()
    """The verdicts on all answers in the order in which they were drawn, where there are several."""
    second: str | None = contracts.optional()
    """Of a program: the verdict on the first answer as another rule cuts or runs it."""
    answer: str | None = contracts.optional()
    """Where answers are compared: what was read out of the first, its first 200 characters."""
    target: str | None = contracts.optional()
    """Where answers are compared: what was asked for, its first 200 characters."""
    bits: float | None = contracts.optional()
    """Where bits are counted: what the model needs for the document, to 4 decimals."""
    bytes: int | None = contracts.optional()
    """Where bits are counted: the document's UTF-8 bytes."""
    notes: Mapping[str, str | bool | int | float] = contracts.others()
    """What else the benchmark's judge says, each a key of the line itself: verdicts by other rules
    (paper, strict, one_process), whether it is right only without its punctuation
    (otherwise_written)."""

    @property
    def name(self) -> tuple[str, str]:
        """What tells the problem from others of its benchmark."""
        return self.task, self.document


def read_verdicts(scores: Path) -> Iterator[ProblemVerdict]:
    """The verdicts beside ``scores`` (a scores.json).

    Raises:
        UserError: there are none, or a line is damaged.
    """
    return contracts.read_lines(ProblemVerdict, scores.with_name(FILE))
