"""MBPP (Austin et al. 2021, arXiv 2108.07732): short Python programs from a sentence and three tests."""

from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.benchmarks.mbpp.judge import AssertionJudge
from lemur.evaluation.documents import Split, listed, need, need_python, need_texts
from lemur.evaluation.source import Source


class MBPP(Benchmark):
    """Programs with their assertions."""

    judge = AssertionJudge

    def read(self, source: Source, member: str) -> Problems:
        """Problems 11 to 510 are the test set; 2, 3 and 4 are the solved examples."""
        split: Split = {"test": [], "examples": []}
        for number, row in enumerate(listed(source.read(member), member)):
            where = f"{member}: problem {number}"
            need(row, where, task_id=int, query=str, gold=str, tests=list, test_setup_code=str)
            need_texts(row["tests"], 3, f"{where}: 'tests'")
            for source_code in (row["gold"].replace("\r\n", "\n"), *row["tests"][:3]):
                need_python(source_code.strip(), f"{where}: '{source_code[:40]}'")
            document = {
                "_id": f"mbpp/{row['task_id']}",
                "text": row["query"],
                "code": row["gold"],
                "test_list": row["tests"][:3],  # what follows are the challenge tests
                "test_setup_code": row["test_setup_code"],
            }
            if 11 <= row["task_id"] <= 510:
                split["test"].append(document)
            elif row["task_id"] in (2, 3, 4):
                split["examples"].append(document)
        split["test"].sort(key=lambda document: int(document["_id"].split("/")[1]))
        split["examples"].sort(key=lambda document: document["_id"])
        return {"": split}


BENCHMARK = MBPP
