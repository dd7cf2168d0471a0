"""Spider: the dump as SQLite, results compared, clauses matched, queries judged in the sandbox."""

import json
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from answered import catalogue, scored
from hypothesis import given
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.core.files import sha256_of, write_json
from lemur.evaluation.benchmarks.spider import Spider, clauses, match, results
from lemur.evaluation.benchmarks.spider import judge as query
from lemur.evaluation.benchmarks.spider.databases import read
from lemur.evaluation.source import Source
from lemur.evaluation.tasks import Bench
from lemur.inference.stopping import cut
from lemur.sandbox.judge import judge
from lemur.sandbox.policy import Limits
from spider_hardness import hardness

DUMP = r"""-- MySQL dump 10.13
USE `shop`;
DROP TABLE IF EXISTS `owner`;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `owner` (
  `Owner_ID` int NOT NULL AUTO_INCREMENT,
  `Name` varchar(20) COLLATE utf8mb4_general_ci DEFAULT NULL,
  PRIMARY KEY (`Owner_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=9 DEFAULT CHARSET=utf8mb4;
INSERT INTO `owner` VALUES (1,'O\'Hara; -- no comment'),(2,'Two\nlines'),(3,NULL);
CREATE TABLE `orders` (
  `ID` int NOT NULL,
  `Owner_ID` int DEFAULT NULL,
  `Total (all)` decimal(8,2) DEFAULT NULL,
  PRIMARY KEY (`ID`),
  KEY `k` (`Owner_ID`),
  CONSTRAINT `k` FOREIGN KEY (`Owner_ID`) REFERENCES `owner` (`Owner_ID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
INSERT INTO `orders` VALUES (1,1,2.50),(2,1,3.00),(3,2,1.00);
"""
QUESTIONS = [
    {"db": "shop", "query": "Names?", "gold": "SELECT Name FROM owner", "hardness": "easy"},
    {
        "db": "shop",
        "query": "How many orders has each owner, most first?",
        "gold": "SELECT Owner_ID, count(*) FROM owner GROUP BY Owner_ID ORDER BY count(*) DESC",
        "hardness": "medium",
    },
    {
        "db": "shop",
        "query": "Owners called X?",
        "gold": "SELECT Owner_ID FROM owner WHERE Name = 'X'",
        "hardness": "easy",
    },
]


@pytest.fixture
def manifest(tmp_path):
    return download(tmp_path / "spider", QUESTIONS)


def download(folder, questions):
    """The manifest of a downloaded dump with these questions."""
    folder.mkdir(exist_ok=True)
    (folder / "ic_spider_dbs.sql").write_text(DUMP)
    (folder / "ic_spider_dev.json").write_text(json.dumps(questions))
    names = ("ic_spider_dbs.sql", "ic_spider_dev.json")
    listed = [{"path": name, "sha256": sha256_of(folder / name), "size": 1} for name in names]
    write_json(folder / "manifest.json", {"name": "spider", "files": listed})
    return folder / "manifest.json"


@pytest.fixture(scope="module")
def real(tmp_path_factory, mirror):
    """Documents and judge of the dev set in the mirror."""
    files = mirror("princeton-nlp/intercode/*/data/sql/spider/ic_spider_d*")
    folder = tmp_path_factory.mktemp("spider")
    for path in files:
        (folder / path.name).symlink_to(path)
    listed = [{"path": path.name, "sha256": sha256_of(path)} for path in files]
    write_json(folder / "m.json", {"files": listed})
    source = Source(folder / "m.json")
    documents = Spider().read(source, "data/sql/spider/ic_spider_dev.json")[""]["test"]
    return documents, query.QueryJudge(source), {one["sha256"] for one in listed}


def test_a_dump_becomes_sqlite():
    base = read(DUMP, "dump")["shop"]
    connection = sqlite3.connect(":memory:")
    connection.executescript(base.script())
    assert connection.execute("SELECT Name FROM owner").fetchall() == [
        ("O'Hara; -- no comment",),
        ("Two\nlines",),
        (None,),
    ]
    asked = 'SELECT "Total (all)", typeof("Total (all)") FROM orders WHERE ID = 2'
    assert connection.execute(asked).fetchall() == [(3.0, "real")]
    assert "FOREIGN KEY (Owner_ID) REFERENCES owner (Owner_ID)" in base.schema()


@pytest.mark.parametrize(
    ("dump", "words"),
    [
        ("", "no database in it"),
        ("CREATE TABLE `a` (\n  `b` int\n) ENGINE=X;", "outside of any database"),
        ("USE `x`;\nINSERT INTO `a` VALUES (1);", "rows for 'a', which is no table"),
        ("USE `x`;\nCREATE TABLE `a` SELECT 1;", "not of mysqldump's form"),
    ],
)
def test_other_dumps_are_one_line(dump, words):
    with pytest.raises(UserError, match=words):
        read(dump, "dump")


@pytest.mark.parametrize(
    ("response", "asked"),
    [
        (" a FROM b; SELECT c", "SELECT a FROM b"),
        (" a FROM b -- so\nWHERE c", "SELECT a FROM b "),
        (
            " a WHERE b = 'x;y -- z' AND c = 'it''s;' ;--",
            "SELECT a WHERE b = 'x;y -- z' AND c = 'it''s;' ",
        ),
        (' "a;b", `c--d`, [e;f] FROM g;', 'SELECT "a;b", `c--d`, [e;f] FROM g'),
        (" a /* ; */ FROM b;", "SELECT a /* ; */ FROM b"),
        (" 'open; FROM b", "SELECT 'open"),
        (" a - -1 FROM b", "SELECT a - -1 FROM b"),
    ],
)
def test_a_query_ends_outside_of_its_texts(response, asked):
    assert query.answer(response) == asked


def test_a_stop_inside_a_text_is_neither_generated_nor_judged_as_one(
    spec, manifest, tmp_path, sandbox
):
    """One problem's answer, as generation cuts it and as it is judged then."""
    for form in ("completion", "chatml"):
        task = Bench(spec("spider", format=form), manifest).tasks["spider"]
        response = " Name FROM owner WHERE Name LIKE '%; -- no%';\n\nSELECT 1"
        kept = cut(response, task.config.generation_kwargs["until"])
        assert "no%'" in kept and "SELECT" not in kept
    made, items, _ = scored(spec("spider"), manifest, tmp_path / "out", lambda one: kept + ";")
    assert [item["verdict"] for item in items] == ["failed", "failed", "failed"], items
    assert all("syntax" not in item["detail"] for item in items)


@pytest.mark.parametrize(
    ("gold", "found", "ordered", "expected"),
    [
        ([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], False, True),
        ([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], True, False),
        ([(1, "a"), (2, "b")], [("a", 1), ("b", 2)], True, True),  # another order of columns
        ([(1, 2), (2, 1)], [(1, 1), (2, 2)], False, False),  # the same values, wrongly paired
        ([(1,), (1,), (2,)], [(1,), (2,), (2,)], False, False),  # a bag, not a set
        ([(1,)], [(1, 1)], False, False),
        ([(None,)], [(0,)], False, False),
        ([], [], True, True),
        ([], [(1,)], False, False),
    ],
)
def test_results_compare_as_bags(gold, found, ordered, expected):
    assert results.same(gold, found, ordered) is expected


cells = st.none() | st.integers(0, 2) | st.sampled_from(["", "a", "0"])


@given(
    st.integers(1, 3).flatmap(lambda n: st.lists(st.tuples(*[cells] * n), max_size=5)), st.data()
)
def test_shuffled_rows_and_columns_are_the_same_result(rows, data):
    if not rows:
        return
    order = data.draw(st.permutations(range(len(rows[0]))))
    turned = [tuple(row[place] for place in order) for row in rows]
    assert results.same(rows, turned, True)
    assert results.same(rows, data.draw(st.permutations(turned)), False)
    assert not results.same(rows, [*turned, turned[0]], False)


GOLD = (
    "SELECT T1.Name FROM owner AS T1 JOIN orders AS T2 ON T1.Owner_ID = T2.Owner_ID WHERE T2.ID > 5"
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (GOLD.replace("5", "9"), True),  # values are not compared
        (GOLD.replace("T1.Name", "DISTINCT T1.Name"), True),
        (
            "select a.name from orders as b join owner as a on b.id = a.owner_id where b.id > 1",
            True,
        ),
        (GOLD.replace(">", "<"), False),
        (GOLD.replace("Name", "Owner_ID"), False),
        ("SELECT Name FROM owner WHERE Owner_ID > 5", False),
        (GOLD + " LIMIT 1", False),
        (GOLD + " UNION " + GOLD, False),
        ("SELECT nothing FROM owner", False),
        ("SELECT Name FROM owner WHERE", False),
        ("this is not SQL", False),
        ("", False),
    ],
)
def test_exact_set_match(found, expected):
    assert match.exact(GOLD, found, read(DUMP, "dump")["shop"]) is expected


def test_columns_that_a_foreign_key_ties_are_one():
    base = read(DUMP, "dump")["shop"]
    one = "SELECT T1.Owner_ID FROM owner AS T1 JOIN orders AS T2 ON T1.Owner_ID = T2.Owner_ID"
    assert match.exact(one, one.replace("SELECT T1", "SELECT T2"), base)
    assert not match.exact(one, one.replace("SELECT T1.Owner_ID", "SELECT T2.ID"), base)


@given(st.text(max_size=60) | st.lists(st.sampled_from(GOLD.split()), max_size=12).map(" ".join))
def test_no_text_breaks_the_match(text):
    base = read(DUMP, "dump")["shop"]
    assert match.exact(GOLD, "SELECT" + text, base) in (True, False)


def test_prompts(spec, manifest):
    bench = Bench(spec("spider"), manifest)
    task = bench.tasks["spider"]
    assert bench.n == 3
    text = task.doc_to_text(task.eval_docs[0])
    assert text.startswith("CREATE TABLE owner (\n  Owner_ID INTEGER,\n  Name TEXT,")
    assert text.endswith("tables provided above.\n\n-- Names?\nSELECT")


ANSWERS = [
    " name FROM owner ORDER BY 1",  # another order, which the gold query does not ask for
    " count(*), Owner_ID FROM owner GROUP BY Owner_ID",  # not in the gold query's order
    " 1 WHERE 1 = 0",  # returns nothing, as the gold query does here
]


def test_scores(spec, manifest, tmp_path, sandbox):
    made, items, _ = scored(
        spec("spider"), manifest, tmp_path / "out", lambda one: ANSWERS[int(one["_id"][-1])]
    )
    assert [item["verdict"] for item in items] == ["passed", "passed", "passed"]
    assert made["metric"] == "execution accuracy" and made["value"] == 1.0
    assert made["beside"] == {
        "exact_set_match": {"value": 0.0, "differs_on": 3},
        "distinct_kept": {"value": 1.0, "differs_on": 0},
        "with_rows": {"value": 1.0, "n": 2},
    }
    assert [item["exact_set_match"] for item in items] == [False] * 3


@pytest.mark.parametrize(
    ("query_", "without"),
    [
        ("SELECT DISTINCT a FROM b", "SELECT  a FROM b"),
        ("SELECT count(distinct a), Distinct_b FROM b", "SELECT count( a), Distinct_b FROM b"),
        ("SELECT 'x distinct y', \"distinct\", `distinct`", None),
        ("SELECT 'it''s distinct' || distinct", "SELECT 'it''s distinct' || "),
        ("SELECT distinction, indistinct FROM b", None),
    ],
)
def test_distinct_is_left_out_of_queries_and_not_of_texts(query_, without):
    assert query.undistinct(query_) == (query_ if without is None else without)


def test_distinct_is_passed_over_and_held_to_beside(spec, manifest, tmp_path, sandbox):
    """Spider's evaluation leaves DISTINCT out of both queries; the stricter score keeps it."""
    golds = ["SELECT DISTINCT Owner_ID FROM orders", "SELECT Owner_ID FROM orders"]
    golds += ["SELECT count(DISTINCT Owner_ID) FROM orders"]
    download(manifest.parent, [{**QUESTIONS[0], "gold": gold} for gold in golds])
    answers = [" Owner_ID FROM orders", " DISTINCT Owner_ID FROM orders", " 2"]
    made, items, _ = scored(
        spec("spider"), manifest, tmp_path / "out", lambda one: answers[int(one["_id"][-1])]
    )
    assert [item["verdict"] for item in items] == ["passed", "passed", "failed"]
    assert [item["distinct_kept"] for item in items] == [False, False, True]
    assert made["beside"]["distinct_kept"] == {"value": pytest.approx(1 / 3), "differs_on": 3}
    assert sum(made["verdicts"].values()) == 3


def test_answers_that_are_not_queries(spec, manifest, tmp_path, sandbox):
    answers = ["", " x FROM \ud800 nowhere\0", " 'a' || " * 60_000 + "1"]
    made, items, _ = scored(
        spec("spider"), manifest, tmp_path / "out", lambda one: answers[int(one["_id"][-1])]
    )
    assert made["value"] == 0.0 and made["verdicts"]["error"] == 3
    assert all(len(item["detail"]) <= 300 for item in items)


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (" name FROM owner", "passed"),
        (" name FROM owner WHERE 1 = 0", "failed"),
        (" name FROM owners", "error"),
        (" name FROM owner; DROP TABLE owner", "passed"),  # its first alone is asked
        (" writefile('/tmp/x', 'y')", "error"),
        (" name FROM owner, (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) "
         "SELECT max(n) FROM c)", "timeout"),
        (" hex(zeroblob(900000000)) || hex(zeroblob(900000000))", "error"),
    ],
)  # fmt: skip
def test_verdicts(sandbox, manifest, response, verdict):
    source = Source(manifest)
    document = Spider().read(source, "data/sql/spider/ic_spider_dev.json")[""]["test"][0]
    job = query.QueryJudge(source).job(document, response)
    found = judge(sandbox, job, Limits(cpu_seconds=2, wall_seconds=6))
    # What takes all memory may take all time first, on a machine that has other work.
    ends = {"out of memory", "timeout"} if "zeroblob" in response else set()
    assert found.verdict in {verdict, *ends}, found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"db": "shops"}, "did you mean 'shop'"),
        ({"gold": None}, "'gold' must be str, it is NoneType"),
    ],
)
def test_questions_of_another_shape_are_one_line(spec, manifest, change, words):
    download(manifest.parent, [QUESTIONS[0] | change])
    with pytest.raises(UserError, match=words):
        Bench(spec("spider"), manifest)
    download(manifest.parent, [3])
    with pytest.raises(UserError, match="must be an object, it is int"):
        Bench(spec("spider"), manifest)


def test_every_gold_query_of_the_dev_set(real):
    """All run, are right against themselves, match themselves, and are as hard as they were said to
    be: a whole check of the dump's reading, of the comparison and of the grammar."""
    documents, maker, hashes = real
    pins = catalogue("spider")["data"]["from"]["files"]
    assert {pin["sha256"] for pin in pins} == hashes
    assert len(documents) == 1034
    empty = 0
    for document in documents:
        rows = maker.gold(document)
        empty += not rows
        assert results.same(rows, rows, True)
        base = maker.found[document["db"]]
        parsed = clauses.parse(query.tidy(document["gold"]), base)
        assert hardness(parsed) == document["hardness"], document["gold"]
        assert match.exact(document["gold"], document["gold"], base)
    assert empty == 91


def run_all(sandbox, jobs):
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return [one.verdict for one in pool.map(lambda job: judge(sandbox, job, Limits()), jobs)]


def test_a_gold_query_of_each_database_passes(real, sandbox):
    documents, maker, _ = real
    chosen = list({document["db"]: document for document in documents}.values())
    assert len(chosen) == 20
    jobs = [maker.job(one, one["gold"][len("SELECT") :]) for one in chosen]
    assert run_all(sandbox, jobs) == ["passed"] * 20


@pytest.mark.long
def test_all_gold_queries_pass_and_wrong_ones_fail(real, sandbox):
    documents, maker, _ = real
    jobs = [
        maker.job(document, query.tidy(document["gold"])[len("SELECT") :]) for document in documents
    ]
    assert run_all(sandbox, jobs) == ["passed"] * 1034
    wrong = [
        maker.job(document, " 'no such answer', 1, 2, 3, 4, 5, 6, 7, 8, 9")
        for document in documents
    ]
    assert run_all(sandbox, wrong) == ["failed"] * 1034
