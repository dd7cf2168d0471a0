"""InterCode-SQL: the original's messages, parser and reward over SQLite."""

import json
import math
from collections import Counter
from numbers import Number
from random import Random

import pytest
from lemur.agents import environments
from lemur.agents.environments.intercode_sql import dump, judge, mariadb
from lemur.agents.episode import Turn
from lemur.agents.intercode.protocol import parse_sql
from lemur.core.errors import UserError
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent
from scipy.stats import kendalltau
from unit.environments.intercode_cases import gold, original, play, write

DUMP = r"""
CREATE USER 'admin'@'%' IDENTIFIED BY 'admin';
CREATE DATABASE IF NOT EXISTS `zoo`;
USE `zoo`;
-- a comment; with a semicolon
DROP TABLE IF EXISTS `Animal`;
CREATE TABLE `Animal` (
  `id` int NOT NULL AUTO_INCREMENT,
  `name` varchar(20) COLLATE utf8mb4_general_ci DEFAULT 'x',
  `weight` decimal(5,2) DEFAULT NULL,
  `keeper` int DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `k` (`keeper`)
) ENGINE=InnoDB;
/*!40000 ALTER TABLE `Animal` DISABLE KEYS */;
INSERT INTO `Animal` VALUES (1,'Ann\'s; cat',3.50,NULL),(2,'b\\\n''c',40,2),(3,'Dog',12,1);
CREATE DATABASE IF NOT EXISTS `other`;
USE `other`;
CREATE TABLE `t` (
  `a` text
);
"""
GOLDS = [
    "SELECT name FROM animal ORDER BY weight",
    "select count(*) from Animal where name = 'dog'",
    "SELECT id, weight FROM animal",
    "SELECT x FROM nothing",
]


@pytest.fixture
def data(tmp_path):
    items = [
        {"db": "zoo", "gold": query, "query": f"question {number}", "hardness": "easy", "db_tables": {"animal": ["id", "name"]}}
        for number, query in enumerate(GOLDS)
    ]  # fmt: skip
    write(tmp_path / "data/sql/spider/ic_spider_dev.json", items)
    write(tmp_path / "data/sql/spider/ic_spider_dbs.sql", DUMP)
    return tmp_path


def load(data, **settings):
    return environments.load("intercode_sql", {"data": data, **settings})


def needs_sandbox():
    found = probe()
    if isinstance(found, Absent):
        pytest.skip(f"sandbox: {found.reason}")


def test_a_dump_is_read(data):
    databases = dump.read(data / "data/sql/spider/ic_spider_dbs.sql")
    assert list(databases) == ["zoo", "other"]
    assert [column.row() for column in databases["zoo"].tables["animal"]] == [
        ("id", "int", "NO", "PRI", None, "auto_increment"),
        ("name", "varchar(20)", "YES", "", "x", ""),
        ("weight", "decimal(5,2)", "YES", "", None, ""),
        ("keeper", "int", "YES", "MUL", None, ""),
    ]
    write(data / "none.sql", "SELECT 1;")
    with pytest.raises(UserError, match="no database in this dump"):
        dump.read(data / "none.sql")


def test_prompts(data):
    suite = load(data)
    system, handicap, user = suite.messages(suite.tasks()[0], "", ())
    assert system["content"].startswith("`SQLEnv` is a multi-turn game")
    assert handicap == {"role": "system", "content": "MySQL tables, with their properties\n- animal: ['id', 'name']\n"}  # fmt: skip
    assert user["content"].startswith('Query: "question 0".')
    assert len(load(data, handicap=False).messages(suite.tasks()[0], "", ())) == 2
    said = Turn("", "x", 1, "end", "No output", 0.0, False, {"action": "q", "code": True})
    later = suite.messages(suite.tasks()[0], "", [said] * 4)
    assert [each["role"] for each in later] == ["system", "system", "user", "assistant", "user", "assistant", "user"]  # fmt: skip
    assert "MySQL Database Output: No output\nReward: 0.0\n" in later[-1]["content"]


@pytest.mark.parametrize(
    ("answer", "query"),
    [
        ("```sql\nSELECT  a\nFROM t; SELECT 2\n```", "SELECT a FROM t"),
        ("I say SELECT a FROM t; done", "SELECT a FROM t"),
        ("SELECT x FROM SHOW", "SHOW"),  # the first word that is looked for
        ("SQL: SELECT 1", "S"),
        ("```\ndesc t```", "desc t"),
        ("SELECT a\\_b FROM t", "SELECT a_b FROM t"),
        ("```sql\nWITH x AS (SELECT 1) SELECT * FROM x```", None),
        ("``` ```", None),
        ("select 1", None),
        ("", None),
    ],
)
def test_answers_are_read_as_the_original_reads_them(answer, query):
    shown, is_code = parse_sql(answer)
    assert is_code is (query is not None) and (query is None or shown == query)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("abcd", "abdc", 2 / 3), ("aabc", "abca", 0), ("aabbc", "abcab", 0.25)]
    + [("zyxaab", "xyzbaa", 0.35714285714285715), ("abc", "cba", -1), ("ab" * 9, "ab" * 9, 1)],
)
def test_correlation_is_that_of_scipy(first, second, expected):
    """scipy.stats.kendalltau, SciPy 1.17.1."""
    assert judge.correlation(first, second) == pytest.approx(expected)


def test_correlation_of_random_lists_is_that_of_scipy():
    random = Random(1)
    for _ in range(50):
        first = random.choices("abcdefgh", k=random.randrange(2, 30))
        second = random.sample(first, len(first))
        expected = kendalltau(first, second, nan_policy="omit").statistic
        assert judge.correlation(first, second) == pytest.approx(expected, nan_ok=True)


def test_there_is_no_correlation_without_two_ranks():
    assert math.isnan(judge.correlation("a", "a")) and math.isnan(judge.correlation("aa", "aa"))


def test_the_reward():
    rows = [(1, "a"), (2, "b"), (3, "c")]
    assert judge.reward(rows, rows) == 1 and judge.reward([], []) == 1
    assert judge.reward(rows[:2], rows) == pytest.approx(0.67)
    assert judge.reward(rows[:1], rows) == pytest.approx(1 / 3)
    assert judge.reward(rows[::-1], rows) == -1
    assert judge.reward([(9,)], rows) == 0 and judge.reward("error", rows) == 0
    assert judge.reward(None, rows) == 0 and judge.reward([(1,)] * 2, [(1,)]) == 0.5


def test_where_the_scores_differ():
    many = [(number,) for number in range(300)]
    assert judge.reward(many[:-1], many) == 1.0  # rounded
    assert judge.agrees(many[:-1], many, "SELECT n FROM t") == "other rows"
    assert judge.agrees(many[::-1], many, "SELECT n FROM t") == ""
    assert judge.agrees(many[::-1], many, "SELECT n FROM t ORDER BY n") != ""
    assert judge.agrees([(1.0,)], [(1,)], "SELECT") == "" and judge.reward([(1.0,)], [(1,)]) == 0
    assert judge.agrees([], "no such table", "SELECT").startswith("the gold query fails here")


def test_gold_queries_solve_made_tasks(data, tmp_path):
    needs_sandbox()
    played = gold(load(data, turns=2), tmp_path)
    assert [each.end for each, _ in played] == ["solved"] * 3 + ["out of turns"]
    assert [verdict.strict for _, verdict in played] == [1, 1, 1, 0]
    assert played[0][0].turns[0].observation == "[(\"Ann's; cat\",), ('Dog',), (\"b\\\\\\n'c\",)]"
    assert played[0][0].turns[0].info["world"].startswith("SQLite 3")


SAID = {
    "SHOW TABLES": "[('animal',)]",
    "DESC other.Animal": "[('id', 'int', 'NO', 'PRI', None, 'auto_increment'), (",
    "```sql\nDESCRIBE `none`\n```": "Error executing query: Table 'zoo.none' doesn't exist",
    "SELECT a FROM none": "Error executing query: Table 'zoo.none' doesn't exist",
    "SELECT a FROM animal": "Error executing query: Unknown column 'a' in 'field list'",
    "SELECT FROM": "Error executing query: ",
    "SELECT 1 WHERE 1 = 2": "No output",
    "SELECT load_extension('x')": "Error executing query: not authorized",
    "SELECT * FROM pragma_database_list": "Error executing query: not authorized",
    "nothing": "No SQL code was found in your last response.\n\nYour response should be a SQL",
    "SELECT '\ud800'": "Error executing query: ",
    "SELECT '\x00'": "",
    "SELECT concat(name, '!') FROM animal WHERE id = 3": "[('Dog!',)]",
    "SELECT x'ff'": "",
    "SELECT count(*) FROM animal WHERE name = 'DOG  '": "[(1,)]",
    "SELECT hex(zeroblob(100000000))": "Error executing query: ",
    "SELECT randomblob(1000000000)": "Error executing query: ",
}


def test_every_answer_is_an_observation(data, tmp_path):
    needs_sandbox()
    suite = load(data, turns=len(SAID) + 1)
    ((episode, _),) = play(suite, {"0": [*SAID, GOLDS[0]]}, tmp_path)
    for turn, (said, begins) in zip(episode.turns, SAID.items(), strict=False):
        assert turn.observation.startswith(begins), said
        assert len(turn.observation) <= 1000 and turn.reward == 0
    assert episode.end == "solved"


@pytest.mark.long
def test_a_query_without_end_is_interrupted(data, tmp_path):
    needs_sandbox()
    query = "SELECT count(*) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)"  # fmt: skip
    ((episode, _),) = play(load(data), {"0": [query, GOLDS[0]]}, tmp_path)
    assert episode.turns[0].observation == "Error executing query: Query execution was interrupted"
    assert episode.end == "solved"


def test_another_world_is_a_mistake(data):
    with pytest.raises(UserError, match="world 'sqlit'; did you mean 'sqlite'"):
        load(data, world="sqlit")


def needs_mariadb():
    if (why := mariadb.missing()) is not None:
        pytest.skip(f"toolchain: MariaDB: {why}")


def test_mariadb_that_is_not_here_is_named(data, monkeypatch):
    monkeypatch.setattr(mariadb, "missing", lambda: "no mariadbd")
    suite = load(data, world="mariadb")
    assert {suite.unplayable(task) for task in suite.tasks()} == {"no mariadbd"}
    with pytest.raises(UserError, match="world 'mariadb': no mariadbd; world 'sqlite'"):
        suite.open().reset(suite.tasks()[0])


FORBIDDEN = {
    "SELECT load_file('/etc/passwd')": "[(None,)]",
    "SELECT 1 INTO OUTFILE '/tmp/x'": "Error executing query: Access denied",
    "SELECT * FROM mysql.user": "Error executing query: SELECT command denied",
    "SELECT a FROM other.t": "No output",
    "SELECT a FROM none": "Error executing query: Table 'zoo.none' doesn't exist",
    "SHOW TABLES": "[('animal',)]",
    "SELECT sum(id), avg(weight) FROM animal": "[(Decimal('6'), Decimal('18.500000'))]",
}


@pytest.mark.long
def test_mariadb_answers_and_keeps_what_is_not_to_be_read(data, tmp_path):
    needs_mariadb()
    suite = load(data, world="mariadb", turns=len(FORBIDDEN) + 1)
    try:
        first, second = play(suite, {"0": [*FORBIDDEN, GOLDS[0]], "2": [GOLDS[2]]}, tmp_path)
        for turn, begins in zip(first[0].turns, FORBIDDEN.values(), strict=False):
            assert turn.observation.startswith(begins)
        assert (first[0].end, second[0].end) == ("solved", "solved")
        assert second[0].turns[0].info["world"].startswith("MariaDB 1")
        folder = suite.server.folder
    finally:
        suite.close()
    assert not folder.exists()


@pytest.mark.long
def test_originals_are_solved_by_their_gold_in_mariadb(tmp_path):
    """Six gold queries are no valid SQL there."""
    needs_mariadb()
    suite = load(original(), world="mariadb", turns=1)
    try:
        played = gold(suite, tmp_path, batch=2)
    finally:
        suite.close()
    assert len(played) == 1034 and sum(verdict.paper for _, verdict in played) == 1028


def rounded(rows):
    """Rows in any order, numbers to two digits: the engines have other types and precisions."""
    return Counter(
        tuple(round(float(value), 2) if isinstance(value, Number) else str(value) for value in row)
        for row in rows
    )


@pytest.mark.long
def test_gold_queries_have_the_same_rows_in_both_worlds():
    """Where they do not, a limit falls among ties, or a column is not grouped by."""
    needs_mariadb()
    data = original()
    suites = load(data), load(data, world="mariadb")
    sessions, same, valid = {}, 0, 0
    try:
        for task in suites[0].tasks():
            name = task.data["db"]
            if name not in sessions:
                sessions[name] = [suite._connect(name) for suite in suites]
            ours, theirs = (session.query(task.data["gold"]) for session in sessions[name])
            valid += isinstance(theirs, list)
            same += isinstance(theirs, list) and rounded(ours) == rounded(theirs)
    finally:
        for both in sessions.values():
            for session in both:
                session.close()
        suites[1].close()
    # Among ties MariaDB chooses by its estimates of tables, which differ from load to load.
    assert valid == 1028 and same >= 983


def test_some_originals_are_solved_by_their_gold(tmp_path):
    needs_sandbox()
    suite = load(original())
    played = gold(suite, tmp_path, suite.tasks()[:40:8])
    assert [verdict.strict for _, verdict in played] == [1] * 5


@pytest.mark.long
def test_all_originals_are_solved_by_their_gold(tmp_path):
    needs_sandbox()
    suite = load(original())
    played = gold(suite, tmp_path, batch=4)
    assert len(played) == 1034
    assert sum(verdict.paper for _, verdict in played) == 1034
    assert sum(verdict.strict for _, verdict in played) == 1034


def test_logs_of_the_original_are_executed_again(data, tmp_path):
    """The format that its own experiments write; an observation that was another one is named."""
    needs_sandbox()
    from lemur.agents import replay

    said = ["SELECT 1", "select count(*) from Animal where name = 'dog'"]
    log = {
        "0": {
            "environment": "sql", "dataset": "ic_spider_dev.json", "task_id": 1, "query": "question 1",
            "turn_history": {"actions": said, "observations": ["[(1,)]", "[(1,)]"], "rewards": [1.0, 1.0], "valid_action": [True, True]},
            "summary": {"max_reward": 1.0, "turns_taken": 2},
        },
        "1": {
            "dataset": "ic_spider_dev.json", "task_id": 0,
            "turn_history": {"actions": ["SELECT id FROM animal"], "observations": ["[(9,)]"], "rewards": [0.0]},
        },
        "2": {"dataset": "nl2bash_fs_1.json", "turn_history": {"actions": [], "observations": [], "rewards": []}},
    }  # fmt: skip
    write(tmp_path / "logs" / "a run.json", log)
    write(tmp_path / "logs" / "settings.json", {"model": "x"})
    table = replay.run(
        "intercode_sql", {}, tmp_path / "logs", data, tmp_path / "out" / "replay.json"
    )
    assert "verdicts: 2 of 2 as recorded" in table and "2 recorded episodes" in table
    made = json.loads((tmp_path / "out" / "replay.json").read_text())
    assert made["observed"] == 2 and made["observations"] == 1  # solved by its first turn already
    (difference,) = made["differences"]
    assert difference["run"] == "a run" and difference["recorded"] == "[(9,)]"
    write(
        tmp_path / "logs" / "a run.json",
        {"0": {"environment": "ic_sql", "turn_history": {"actions": ["x"]}}},
    )
    with pytest.raises(UserError, match="task 0: not a recorded episode"):
        replay.run("intercode_sql", {}, tmp_path / "logs", data, tmp_path / "o.json")
