"""From a model's SQL to the program that runs it, and the rows that it has to return."""

import functools
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from lemur.core.errors import UserError, nearest
from lemur.evaluation.benchmark import Judge, JudgeSummary
from lemur.evaluation.benchmarks.spider import results
from lemur.evaluation.benchmarks.spider.dump import read_dump
from lemur.evaluation.benchmarks.spider.match import exact
from lemur.evaluation.documents import Document
from lemur.evaluation.items import Item
from lemur.evaluation.score import Share
from lemur.evaluation.source import Source
from lemur.evaluation.verdicts import PASSED
from lemur.sandbox.judge import Job

# What runs the query: pinned code of this project, in the sandbox all the same, since a query can
# be made to use all memory and time there is.
_RUN = """
import sqlite3
def rows():
    base = sqlite3.connect(":memory:")
    base.text_factory = lambda data: data.decode(errors="ignore")
    base.executescript(SCRIPT)
    base.execute("PRAGMA query_only = ON")
    return base.execute(QUERY).fetchmany(MOST)
"""


def tidy(query: str) -> str:
    """A query as Spider's evaluation runs it: split operators joined, MySQL's year made a number."""
    for split, joined in (("> =", ">="), ("< =", "<="), ("! =", "!=")):
        query = query.replace(split, joined)
    year = r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*"
    return re.sub(year, "2020", query, flags=re.IGNORECASE).strip().rstrip(";")


_DISTINCT = re.compile(r"""('(?:[^']|'')*'|"[^"]*"|`[^`]*`)|\bdistinct\b""", re.IGNORECASE)


def undistinct(query: str) -> str:
    """A query without DISTINCT, which Spider's test-suite evaluation leaves out of both queries
    unless it is called with --keep_distinct."""
    return _DISTINCT.sub(lambda found: found.group(1) or "", query)


# What may hold the end of a query without being it: texts, quoted names, comments; else the end.
_END = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|/\*.*?\*/|(;|--)""", re.DOTALL
)


def answer(response: str) -> str:
    """The query of a response, whose first word the prompt has written: up to the first ``;`` or
    ``--`` that is not part of a text."""
    query = "SELECT" + response
    ends = (found.start() for found in _END.finditer(query) if found.group(1))
    return query[: next(ends, len(query))]


class QueryJudge(Judge):
    """``gold`` queries run here, once: they are pinned; a model's run in the sandbox."""

    def __init__(self, source: Source):
        super().__init__(source)
        self.found = read_dump(source)
        self.scripts = {name: base.script() for name, base in self.found.items()}

    @functools.cached_property
    def _bases(self) -> dict[str, sqlite3.Connection]:
        return {}

    def gold(self, document: Document, kept: bool = False) -> list[tuple]:
        """Rows of the gold query, its DISTINCT ``kept`` or not."""
        name = document["db"]
        if name not in self.found:
            raise UserError(f"{document['_id']}: database '{name}'{nearest(name, self.found)}")
        if name not in self._bases:
            self._bases[name] = self.found[name].build()
        query = tidy(document["gold"])
        try:
            return self._bases[name].execute(query if kept else undistinct(query)).fetchall()
        except sqlite3.Error as error:
            raise UserError(f"{document['_id']}: its gold query does not run ({error})") from None

    def summary(self, items: Sequence[Item]) -> JudgeSummary:
        """Exact set match of the first answers, their score where DISTINCT is held to, and that over
        the problems whose gold query returns rows: where it returns none, many a wrong query is
        right by chance."""
        matched, passed, rows, kept = [], [], [], []
        for item in items:
            document = item.document
            gold, found = tidy(document["gold"]), tidy(answer(item.responses[0]))
            matched.append(exact(gold, found, self.found[document["db"]]))
            passed.append(item.verdict == PASSED)
            kept.append((item.second or item.verdict) == PASSED)
            item.notes |= {"exact_set_match": matched[-1], "distinct_kept": kept[-1]}
            if self.gold(document):
                rows.append(passed[-1])
        beside = {}
        for name, many in (("exact_set_match", matched), ("distinct_kept", kept)):
            differ = sum(by_many != by_one for by_many, by_one in zip(many, passed, strict=True))
            beside[name] = Share(sum(many) / len(many), differs_on=differ)
        if rows:
            beside["with_rows"] = Share(sum(rows) / len(rows), n=len(rows))
        return JudgeSummary(beside)

    def job(self, document: Document, response: str) -> Job:
        """The query against the rows of the gold one, DISTINCT left out of both."""
        return self._job(document, tidy(answer(response)), kept=False)

    def second_job(self, document: Document, response: str) -> Job | None:
        """The same with DISTINCT kept, where one of the queries has it."""
        query = tidy(answer(response))
        if all(undistinct(statement) == statement for statement in (query, tidy(document["gold"]))):
            return None
        return self._job(document, query, kept=True)

    def _job(self, document: Document, query: str, *, kept: bool) -> Job:
        wanted = self.gold(document, kept)
        ordered = "order by" in document["gold"].lower()
        query = query if kept else undistinct(query)
        given = f"SCRIPT = {self.scripts[document['db']]!r}\nQUERY = {query!r}\n"
        return Job(
            program=given + f"MOST = {len(wanted) + 1}\n" + _RUN,
            preamble=Path(results.__file__).read_text(encoding="utf-8"),
            test=(f"assert same({wanted!r}, rows(), {ordered}), 'another result'",),
            remote=("rows",),
        )
