"""MultiPL-E (Cassano et al. 2022, arXiv 2208.08227): HumanEval in other programming languages."""

from lemur.core.errors import UserError
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.benchmarks.multipl_e.judge import LanguageJudge
from lemur.evaluation.documents import Split, need, rows
from lemur.evaluation.source import Source


class MultiPLE(Benchmark):
    """Problems by language, compiled and run with their tests."""

    judge = LanguageJudge

    def read(self, source: Source, member: str) -> Problems:
        """Problems by language, as nuprl/MultiPL-E on the hub keeps them."""
        found: dict[str, Split] = {}
        for path in source.matching(".parquet"):
            for number, row in enumerate(rows(path)):
                where = f"{path}: row {number}"
                need(row, where, name=str, language=str, prompt=str, tests=str, stop_tokens=list)
                if not all(isinstance(stop, str) for stop in row["stop_tokens"]):
                    raise UserError(f"{where}: 'stop_tokens' must be a list of texts")
                kept = ("name", "language", "prompt", "tests", "stop_tokens")
                document = {name: row[name] for name in kept}
                document["_id"] = f"{row['language']}/{row['name']}"
                found.setdefault(row["language"], {"test": []})["test"].append(document)
        if not found:
            raise UserError(f"{source.path}: no table of problems")
        return found


BENCHMARK = MultiPLE
