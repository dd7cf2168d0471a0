"""HumanEval's answers as programs against the benchmark's ``check``."""

from collections.abc import Sequence

from lemur.evaluation.benchmark import Judge, JudgeSummary
from lemur.evaluation.documents import Document
from lemur.evaluation.items import Item
from lemur.evaluation.shares import share_beside
from lemur.sandbox.judge import Job


class FunctionJudge(Judge):
    """Functions as they were answered. Beside the verdict that of the paper's released script, which
    cuts an answer after its last ``return`` (OpenLemur/Lemur, ``xchat/eval/humaneval/run_eval.py``).
    """

    def job(self, document: Document, response: str) -> Job:
        """The function's head and the answer, against the benchmark's ``check``.

        The head is pinned data: what else it defines (``poly``, ``encode_cyclic``) the test takes from
        there and not from the program.
        """
        name = document["entry_point"]
        return Job(
            program=document["prompt"].rstrip() + response,
            preamble=document["prompt"],
            test=(f"{document['test']}\ncheck({name})",),
            remote=(name,),
        )

    def second_job(self, document: Document, response: str) -> Job | None:
        """The answer as the paper's script cuts it, where that is another program."""
        cut = to_last_return(response)
        return None if cut.rstrip() == response.rstrip() else self.job(document, cut)

    def summary(self, items: Sequence[Item]) -> JudgeSummary:
        """The share of first answers that pass so cut, and on how many that differs."""
        for item in items:
            item.notes["paper"] = item.second or item.verdict
        judged = [item for item in items if item.judged]
        if not judged:
            return JudgeSummary()
        cut = [item.second or item.verdict for item in judged]
        return JudgeSummary({"paper": share_beside(cut, [item.verdict for item in judged])})


def to_last_return(response: str) -> str:
    """The lines up to the last that begins with ``return``; nothing where none does."""
    lines = response.split("\n")
    ends = [number for number, line in enumerate(lines) if line.strip().startswith("return")]
    return "\n".join(lines[: ends[-1] + 1]) if ends else ""
