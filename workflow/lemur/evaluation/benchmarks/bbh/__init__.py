"""BIG-Bench Hard (Suzgun et al. 2022, arXiv 2210.09261): 27 tasks, one file each."""

from lemur.data.records import json_document
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import Split, need
from lemur.evaluation.source import Source


class BBH(Benchmark):
    """Tasks by the names of their files."""

    def read(self, source: Source, member: str) -> Problems:
        found: dict[str, Split] = {}
        for path in source.matching(".json"):
            given = json_document(path.read_bytes(), str(path))
            need(given, str(path), examples=list)
            given, documents = given["examples"], []
            for number, row in enumerate(given):
                need(row, f"{path}: example {number}", input=str, target=str)
                name = f"{path.stem}/{number}"
                documents.append({"_id": name, "input": row["input"], "target": row["target"]})
            found[path.stem] = {"test": documents}
        return found


BENCHMARK = BBH
