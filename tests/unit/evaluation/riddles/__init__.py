"""A made benchmark outside the package: numbers asked for in words, answered as a Python expression
that is run in the sandbox."""

from lemur.evaluation.benchmark import Benchmark, Judge, JudgeSummary
from lemur.evaluation.documents import lines, need
from lemur.evaluation.shares import share_beside
from lemur.sandbox.judge import Job


class ExpressionJudge(Judge):
    def job(self, document, response):
        lines = response.strip().splitlines() or ["None"]
        return Job(
            program=f"def value():\n    return {lines[0]}\n",
            test=(f"assert value() == {document['number']}",),
            remote=("value",),
        )

    def summary(self, items):
        """The score of those who say the digits themselves."""
        for item in items:
            said = item.responses[0].strip() == str(item.document["number"])
            item.notes["digits"] = "passed" if said else "failed"
        digits = [item.notes["digits"] for item in items]
        return JudgeSummary({"digits": share_beside(digits, [item.verdict for item in items])})


class Riddles(Benchmark):
    judge = ExpressionJudge

    def read(self, source, member):
        found = lines(source.read(member), member)
        for number, riddle in enumerate(found):
            need(riddle, f"{member}: line {number + 1}", question=str, number=int)
            riddle["_id"] = f"riddle/{number}"
        return {"": {"test": found}}


BENCHMARK = Riddles
