"""Spider (Yu et al. 2018, arXiv 1809.08887): SQL judged by what it returns on Spider's databases,
and by its clauses."""

from lemur.core.errors import UserError, nearest
from lemur.evaluation.benchmark import Benchmark, Problems
from lemur.evaluation.benchmarks.spider.dump import read_dump
from lemur.evaluation.benchmarks.spider.judge import QueryJudge
from lemur.evaluation.documents import listed, need
from lemur.evaluation.source import Source


class Spider(Benchmark):
    """Questions with the schema of their database."""

    judge = QueryJudge

    def read(self, source: Source, member: str) -> Problems:
        """Questions with the schema of their database, as InterCode keeps Spider's dev set."""
        given = listed(source.read(member), member)
        found = read_dump(source)
        documents, built = [], set()
        for number, row in enumerate(given):
            where = f"{member}: problem {number}"
            need(row, where, db=str, query=str, gold=str, hardness=str)
            if row["db"] not in found:
                raise UserError(f"{where}: database '{row['db']}'{nearest(row['db'], found)}")
            if row["db"] not in built:  # before anything is generated for it
                found[row["db"]].build().close()
                built.add(row["db"])
            document = {name: row[name] for name in ("db", "gold", "hardness")}
            document |= {"_id": f"spider/dev/{number}", "question": row["query"]}
            documents.append({**document, "schema": found[row["db"]].schema()})
        return {"": {"test": documents}}


BENCHMARK = Spider
