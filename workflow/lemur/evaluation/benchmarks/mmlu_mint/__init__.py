"""The questions of MMLU that MINT asked, which are not MMLU itself."""

import re

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.documents import lines, need
from lemur.evaluation.source import Source


class MMLUOfMINT(Benchmark):
    """Multiple choice without solved examples."""

    def read(self, source: Source, member: str) -> Problems:
        """Questions of MMLU as MINT's records of runs hold them: options in one line after them."""
        documents = []
        for number, record in enumerate(lines(source.read(member), member), 1):
            where = f"{member}: line {number}"
            need(record, where, task=dict)
            need(record["task"], f"{where}: task", prompt=str, reference=str)
            question, _, options = record["task"]["prompt"].rpartition("\nOptions: ")
            parts = re.split(r"(?:^| , )([A-D]) \) ", options)
            answer = "abcd".find(record["task"]["reference"])
            if parts[1::2] != ["A", "B", "C", "D"] or answer < 0:
                raise UserError(f"{where}: task: no question with options A to D")
            document = {"question": question, "choices": parts[2::2], "answer": answer}
            documents.append({"_id": f"mmlu-mint/{number - 1}", **document})
        return {"": {"test": documents}}


BENCHMARK = MMLUOfMINT
