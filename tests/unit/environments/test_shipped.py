"""Tasks and files that come with the project: whole, licensed, as the originals are, and solvable."""

import contextlib
import gzip
import json

import pytest
from lemur.agents.driver import Driver
from lemur.agents.environments.alfworld import process
from lemur.agents.play_spec import open_suite, read_spec
from lemur.agents.players.scripted import Scripted
from lemur.config import load
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal
from unit.environments.intercode_cases import MIRROR, original

ENVIRONMENTS = load.catalogue("environments")
SHIPPED = {name: entry["shipped"] for name, entry in ENVIRONMENTS.items() if "shipped" in entry}
COUNTS = {
    "mint": 6,
    "intercode_sql": 4,
    "intercode_bash": 4,
    "intercode_ctf": 2,
    "robocodegen": 37,
    "alfworld": 2,
}
HERE = ROOT / "workflow" / "lemur" / "agents" / "environments"


def opened(name):
    settings = {"sets": ["gsm8k", "mbpp"]} if name == "mint" else {}
    spec = {"environment": name, "model": "gold", "seed": 1, "settings": settings, "shipped": SHIPPED[name]}  # fmt: skip
    return open_suite(read_spec(spec), ROOT / "none")


def test_they_are_few_small_and_say_whose_they_are():
    assert {name: len(opened(name).tasks()) for name in SHIPPED} == COUNTS
    folders = [ROOT / path for path in SHIPPED.values()] + sorted(HERE.glob("*/derived"))
    for folder in folders:
        assert "LICENSE" in (folder / "README.md").read_text(), folder
        assert list(folder.glob("LICENSE*")), folder
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 170_000


@pytest.mark.parametrize("name", ["mint", "intercode_sql", "intercode_bash", "intercode_ctf"])
def test_their_known_solutions_solve_them(name, tmp_path, sandbox):
    suite = opened(name)
    tasks = [task for task in suite.tasks() if suite.unplayable(task) is None]
    assert len(tasks) == COUNTS[name]
    with Journal(tmp_path / "j") as journal:
        player = Scripted({task.id: suite.gold(task) for task in tasks})
        played = Driver(suite, player, journal, 4, 1).play(tasks, name)
    suite.close()
    assert {one.end for one in played} == {"solved"}
    verdicts = [suite.judge(*pair) for pair in zip(tasks, played, strict=True)]
    assert {(verdict.paper, verdict.strict) for verdict in verdicts} == {(1.0, 1.0)}
    # Equal to the known solution is also a command that fails: what was observed is no failure.
    seen = " ".join(turn.observation for one in played for turn in one.turns)
    assert "command not found" not in seen and "Error executing" not in seen


def test_they_are_the_originals():
    place = original()
    for part in ("bash", "ctf", "sql"):
        folder = ROOT / SHIPPED[f"intercode_{part}"] / "data"
        for path in sorted(folder.rglob("*.*")):
            whole = place / "data" / path.relative_to(folder)
            if path.suffix == ".json":
                there = json.loads(whole.read_text())
                assert all(item in there for item in json.loads(path.read_text())), path
            elif path.suffix == ".sql":
                parts = path.read_text().split("CREATE DATABASE")
                assert all(part in whole.read_text() for part in parts)
            else:
                assert path.read_bytes() == whole.read_bytes()
    for path in sorted((HERE / "intercode_bash" / "derived").glob("*.json")):
        assert path.read_bytes() == (place / "derived" / path.name).read_bytes()
    known = json.loads((place / "derived" / "ctf_offline.json").read_text())
    offline = [
        {"task_id": one["task_id"], "files": one["files"]} for one in known if one["offline"]
    ]
    assert json.loads((HERE / "intercode_ctf/derived/ctf_offline.json").read_text()) == offline
    (robots,) = MIRROR.glob("google-research/google-research/*/derived/robocodegen.json")
    packed = (ROOT / SHIPPED["robocodegen"] / "derived/robocodegen.json.gz").read_bytes()
    assert json.loads(gzip.decompress(packed)) == json.loads(robots.read_text())
    (mint,) = MIRROR.glob("xingyaoww/mint-bench/*")
    for path in sorted((ROOT / SHIPPED["mint"]).rglob("*.*")):
        if path.name != "README.md":
            whole = mint / path.relative_to(ROOT / SHIPPED["mint"])
            assert whole.read_bytes().startswith(path.read_bytes()), path
    for path in sorted((ROOT / SHIPPED["alfworld"]).rglob("*.gz")):
        whole = mint / path.relative_to(ROOT / SHIPPED["alfworld"]).with_suffix("")
        assert gzip.decompress(path.read_bytes()) == whole.read_bytes(), path


def test_known_queries_are_right_on_the_server_too(tmp_path, sandbox):
    spec = {"environment": "intercode_sql", "model": "gold", "seed": 1}
    spec["settings"] = {"world": "mariadb"}
    suite = open_suite(read_spec({**spec, "shipped": SHIPPED["intercode_sql"]}), ROOT / "none")
    whys = {suite.unplayable(task) for task in suite.tasks()}
    if whys != {None}:
        pytest.skip(f"toolchain: MariaDB: {whys.pop()}")
    with Journal(tmp_path / "j") as journal, contextlib.closing(suite):
        player = Scripted({task.id: suite.gold(task) for task in suite.tasks()})
        played = Driver(suite, player, journal, 4, 1).play(suite.tasks(), "mariadb")
    assert [episode.end for episode in played] == ["solved"] * 4


@pytest.mark.long
def test_shipped_games_are_won_by_the_planner(tmp_path):
    suite = opened("alfworld")
    if (why := suite.unplayable(suite.tasks()[0])) is not None:
        pytest.skip(f"toolchain: {why}")
    known = {task.id: suite.gold(task) for task in suite.tasks()}
    assert [len(commands) for commands in known.values()] == [4, 7]  # fewer than mini's turns
    with Journal(tmp_path / "j") as journal:
        played = Driver(suite, Scripted(known), journal, 2, 1).play(suite.tasks(), "alfworld")
    verdicts = [suite.judge(*pair) for pair in zip(suite.tasks(), played, strict=True)]
    assert {(verdict.paper, verdict.strict) for verdict in verdicts} == {(1.0, 1.0)}


@pytest.mark.long
def test_parses_that_are_remembered_change_no_word_of_a_game(tmp_path):
    line = process.command()
    if line is None:
        pytest.skip(f"toolchain: {process.BUILD}")
    *start, script = line
    text = process.SCRIPT.read_text()
    plain = tmp_path / "game.py"
    plain.write_text(text.replace("    remember_parses()\n", ""))
    assert script == str(process.SCRIPT) and plain.read_text() != text

    def played(program, path):
        game = process.begin([*start, str(program)], path, 500, planner=True)
        try:
            plan = game.first["plan"]
            wanted = [said for command in plan for said in (command, "look", "inventory", "jump")]
            return game.first, [game.ask({"command": command}) for command in wanted]
        finally:
            game.close()

    games = sorted(map(str, (ROOT / SHIPPED["alfworld"]).rglob("game.tw-pddl.gz")))
    assert len(games) == 2
    for path in games:
        first, heard = played(script, path)
        assert (first, heard) == played(plain, path)
        assert heard[-4]["won"] is True
