"""DS-1000 (Lai et al. 2022, arXiv 2211.11501): data-science programs run with the problem's own test."""

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.benchmarks.ds1000.judge import ScienceJudge
from lemur.evaluation.documents import lines, need, need_python
from lemur.evaluation.source import Source


class DS1000(Benchmark):
    """Problems with their context, which defines the test."""

    judge = ScienceJudge

    def read(self, source: Source, member: str) -> Problems:
        """Problems as xlangai/DS-1000 on the hub keeps them."""
        documents = []
        for number, line in enumerate(lines(source.read(member), member), 1):
            where = f"{member}: line {number}"
            need(line, where, prompt=str, reference_code=str, code_context=str, metadata=dict)
            need(line["metadata"], f"{where}: metadata", problem_id=int, library=str)
            if "def test_execution(" not in line["code_context"]:
                raise UserError(f"{where}: 'code_context' defines no test_execution")
            need_python(line["code_context"], f"{where}: 'code_context'")
            kept = {name: line[name] for name in ("prompt", "reference_code", "code_context")}
            named = {"_id": f"ds1000/{line['metadata']['problem_id']}"}
            documents.append({**named, "library": line["metadata"]["library"], **kept})
        return {"": {"test": documents}}


BENCHMARK = DS1000
