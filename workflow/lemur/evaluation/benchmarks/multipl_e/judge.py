"""MultiPL-E's answers as programs of their language, with the problem's tests after them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from lemur.evaluation.benchmark import Judge, JudgeSummary, Skipped
from lemur.evaluation.benchmarks.multipl_e import languages, trial
from lemur.evaluation.documents import Document
from lemur.evaluation.items import Item
from lemur.evaluation.score import Share
from lemur.evaluation.shares import grouped, share, share_beside
from lemur.evaluation.source import Source
from lemur.sandbox.judge import Verdict
from lemur.sandbox.probe import probe
from lemur.sandbox.steps import Steps
from lemur.sandbox.types import Absent

NOT_CHECKED = "not checked"


class LanguageJudge(Judge):
    """Programs in many languages; one whose toolchain is missing is left out and named.

    The verdict is that of the original evaluation, the exit status. Beside it the strict one wants
    the test to have come to its end: ``sandbox.steps`` says what that stops.
    """

    def __init__(self, source: Source):
        super().__init__(source)
        self.broken: dict[str, str | None] = {}

    def prepare(self, documents: Sequence[Document]) -> None:
        """Try the toolchains that ``documents`` need."""
        sandbox = probe()
        for name in sorted({document["language"] for document in documents}):
            if not isinstance(sandbox, Absent) and not languages.missing(name):
                self.broken[name] = trial.broken(sandbox, name)

    def job(self, document: Document, response: str) -> Steps | Skipped:
        """The program is the function's head and the answer."""
        name = document["language"]
        if lacking := languages.missing(name) or self.broken.get(name):
            return Skipped(lacking)
        program = document["prompt"].rstrip() + response
        return languages.steps(name, program, document["tests"])

    def alternatives(self) -> Mapping[str, Callable[[Verdict], str]]:
        """The verdict if only a test that came to its end is passed."""
        return {"strict": strict}

    def summary(self, items: Sequence[Item]) -> JudgeSummary:
        """Scores of each language that was judged, and their plain mean; beside them the strict
        score, on how many problems it differs, and how many have tests of a form that is not known;
        and how many Bash programs failed that wanted files which no sandbox has."""
        shares = {}
        for language, members in grouped(items, lambda item: item.document["language"]).items():
            shares[language] = share([item.verdict for item in members])
            if checked := _checked(members):
                strictly = share([str(item.notes["strict"]) for item in checked])
                shares[language] = dataclasses.replace(shares[language], strict=strictly)
        mean = sum(shown.value or 0.0 for shown in shares.values()) / max(1, len(shares))
        details: dict[str, Mapping[str, Share] | float] = {
            "languages": shares,
            "mean_of_languages": mean,
        }
        if lacking := sum(item.detail == languages.NO_DESCRIPTORS for item in items):
            details["failed_without_proc"] = lacking
        beside = None
        compared = [item for item in items if "strict" in item.notes]
        if checked := _checked(compared):
            by_end = [str(item.notes["strict"]) for item in checked]
            found = share_beside(by_end, [item.verdict for item in checked])
            missed = len(compared) - len(checked)
            beside = {"strict": dataclasses.replace(found, not_checked=missed)}
        elif compared:
            beside = {"strict": Share(value=None, n=0, not_checked=len(compared))}
        return JudgeSummary(beside, details)


def strict(verdict: Verdict) -> str:
    """The verdict if only a test that came to its end is passed."""
    if verdict.verdict != "passed" or verdict.ended:
        return verdict.verdict
    return NOT_CHECKED if verdict.ended is None else "error"


def _checked(items: Sequence[Item]) -> list[Item]:
    """Items whose tests are of a known form, so that their end is seen."""
    return [item for item in items if item.notes.get("strict", NOT_CHECKED) != NOT_CHECKED]
