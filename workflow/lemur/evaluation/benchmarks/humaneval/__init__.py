"""HumanEval (Chen et al. 2021, arXiv 2107.03374): Python functions completed and run."""

from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.benchmarks.humaneval.judge import FunctionJudge
from lemur.evaluation.documents import lines, need
from lemur.evaluation.source import Source


class HumanEval(Benchmark):
    """Functions by their heads, with hidden tests."""

    judge = FunctionJudge

    def read(self, source: Source, member: str) -> Problems:
        documents = lines(source.read(member), member)
        for document in documents:
            where = f"{member}: {document.get('task_id')}"
            need(document, where, task_id=str, prompt=str, test=str, entry_point=str)
            document["_id"] = document["task_id"]
        return {"": {"test": documents}}


BENCHMARK = HumanEval
