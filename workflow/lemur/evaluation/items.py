"""One problem that was asked, while its answers are judged."""

import dataclasses
from typing import Any

from lemur.evaluation.documents import Document
from lemur.evaluation.verdicts import NOT_JUDGED, ProblemVerdict


@dataclasses.dataclass
class Item:
    """A problem of lm-eval's ``task`` with its answers (``sample``, as lm-eval logs it).

    ``verdict`` is that on the first answer, ``detail`` its reason; ``samples`` are the verdicts on
    all answers where there are several; ``second`` is the verdict on the judge's other job.
    ``notes`` is what else verdicts.jsonl says of the problem, by key.
    """

    task: str
    prompt_sha256: str
    sample: dict[str, Any]
    verdict: str = ""
    detail: str | None = None
    samples: list[str] | None = None
    second: str | None = None
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def document(self) -> Document:
        """The problem as its reader made it."""
        return self.sample["doc"]

    @property
    def responses(self) -> list[str]:
        """All answers, in the order in which they were drawn."""
        return self.sample["resps"][0]

    @property
    def judged(self) -> bool:
        """Whether there is a verdict on the first answer."""
        return self.verdict != NOT_JUDGED

    def recorded(self) -> ProblemVerdict:
        """What verdicts.jsonl says of the problem."""
        optional = {"detail": self.detail, "samples": self.samples, "second": self.second}
        return ProblemVerdict.parse(
            {
                "task": self.task,
                "document": self.document["_id"],
                "prompt_sha256": self.prompt_sha256,
                "verdict": self.verdict,
                **optional,
                **self.notes,
            }
        )
