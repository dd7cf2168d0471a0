"""What a benchmark is: a folder with its prompts, the reader of its data and, for programs, its judge.

``Benchmark`` is one folder's class (``evaluate/benchmarks/<name>/`` or a folder outside the package).
Beside it lies ``<task>.yaml`` for each way to ask its problems: lm-eval's definition of the prompt, what
differs between formats, and how an answer is scored. Answers that are programs are judged by a
``Judge``, which only writes jobs: they run in the sandbox and nowhere else.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from lemur.evaluation.documents import Document, Split
from lemur.evaluation.items import Item
from lemur.evaluation.score import Share
from lemur.evaluation.source import Source
from lemur.sandbox.judge import Job, Verdict
from lemur.sandbox.policy import Limits
from lemur.sandbox.types import Sandbox

# Data set, "" where there is one alone -> its problems.
Problems = dict[str, Split]


class Runnable(Protocol):
    """A job that runs itself in the sandbox."""

    def run(self, sandbox: Sandbox, limits: Limits) -> Verdict:
        """The verdict; never raises for what the program does."""


@dataclasses.dataclass(frozen=True)
class Skipped:
    """A program that cannot be judged here, and why: it is left out of the score and counted."""

    reason: str


@dataclasses.dataclass(frozen=True)
class JudgeSummary:
    """``beside``: the same answers by other rules; ``details``: what else, each a key of scores.json."""

    beside: Mapping[str, Share] | None = None
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Judge(ABC):
    """Turns answers of one benchmark into jobs of the sandbox, made once from the benchmark's data.

    The verdict on a problem is that of its first answer; what else is said of it stands in
    ``Item.notes`` and is written to verdicts.jsonl.
    """

    def __init__(self, source: Source):
        self.source = source

    def prepare(self, documents: Sequence[Document]) -> None:
        """Called once with all problems that are asked, before any job is made."""
        return

    @abstractmethod
    def job(self, document: Document, response: str) -> Job | Runnable | Skipped:
        """What is run to judge one answer."""

    def second_job(self, document: Document, response: str) -> Job | Runnable | None:
        """Another job of the first answer, where another rule may give another verdict."""
        return None

    def alternatives(self) -> Mapping[str, Callable[[Verdict], str]]:
        """Name of a note -> the verdict by another rule on what was seen of the first answer."""
        return {}

    def summary(self, items: Sequence[Item]) -> JudgeSummary:
        """What scores.json says beside the main score, after all items have their verdicts."""
        return JudgeSummary()


class Benchmark(ABC):
    """The problems of one benchmark. ``judge`` is None where lm-eval's metrics score the answers."""

    judge: ClassVar[type[Judge] | None] = None

    @abstractmethod
    def read(self, source: Source, member: str) -> Problems:
        """All problems by data set, each with an ``_id`` of its own; ``test`` is what is asked.

        ``member``: the file that the task's YAML names, inside an archive or by itself.

        Raises:
            UserError: data of another form, by file, line and field.
        """
