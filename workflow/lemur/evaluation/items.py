"""One problem that was asked, while its answers are judged."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from lemur.core import contracts
from lemur.evaluation.documents import Document
from lemur.evaluation.verdicts import NOT_JUDGED, ProblemVerdict


@dataclasses.dataclass(frozen=True)
class LoggedSample:
    """A problem as lm-eval logs it after one of its task's filters.

    ``number`` is the problem's in its task; ``prompt`` is that of its first request, and ``choices`` are the
    continuations whose likelihoods were asked; ``responses`` are all answers to the first request;
    ``found`` is what the filter reads out of them, and ``measured`` has the task's metrics by name.
    """

    number: int
    document: Document
    prompt: str
    choices: Sequence[str]
    target: str
    responses: Sequence[Any]
    filter: str
    found: str
    measured: Mapping[str, Any]

    @classmethod
    def read(cls, logged: Mapping[str, Any]) -> "LoggedSample":
        """From lm-eval's log."""
        return cls(
            number=logged["doc_id"],
            document=logged["doc"],
            prompt=str(logged["arguments"][0][0]),
            choices=[
                rest[0] for _, *rest in logged["arguments"] if rest and isinstance(rest[0], str)
            ],
            target=str(logged["target"]),
            responses=logged["resps"][0],
            filter=logged["filter"],
            found=str(logged["filtered_resps"][0]),
            measured={name: logged[name] for name in logged["metrics"] if name in logged},
        )

    @property
    def prompt_sha256(self) -> str:
        """Digest of the prompt as the model gets it."""
        return hashlib.sha256(self.prompt.encode("utf-8", "surrogatepass")).hexdigest()


@dataclasses.dataclass
class Item:
    """A problem of lm-eval's ``task`` with its answers.

    ``verdict`` is that on the first answer, ``detail`` its reason; ``samples`` are the verdicts on
    all answers where there are several; ``second`` is the verdict on the judge's other job.
    ``answer`` and ``target`` are what was compared, ``bits`` and ``bytes`` what was counted.
    ``notes`` is what else verdicts.jsonl says of the problem, by key.
    """

    task: str
    sample: LoggedSample
    verdict: str = ""
    detail: str | None = None
    samples: tuple[str, ...] | None = None
    second: str | None = None
    answer: str | None = None
    target: str | None = None
    bits: float | None = None
    bytes: int | None = None
    notes: dict[str, str | bool | int | float] = dataclasses.field(default_factory=dict)

    @property
    def document(self) -> Document:
        """The problem as its reader made it."""
        return self.sample.document

    @property
    def responses(self) -> Sequence[str]:
        """All answers, in the order in which they were drawn."""
        return self.sample.responses

    @property
    def judged(self) -> bool:
        """Whether there is a verdict on the first answer."""
        return self.verdict != NOT_JUDGED

    def recorded(self) -> ProblemVerdict:
        """What verdicts.jsonl says of the problem."""
        given = contracts.fields(ProblemVerdict).keys() & vars(self).keys()
        return ProblemVerdict(
            document=self.document["_id"],
            prompt_sha256=self.sample.prompt_sha256,
            **{name: getattr(self, name) for name in given},
        )
