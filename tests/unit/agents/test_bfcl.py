"""BFCL's multi-turn tasks: literals are read, backends run in the sandbox, the checker is BFCL's."""

import json

import pytest
from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environments.bfcl import protocol, tasks, world
from lemur.agents.environments.bfcl.protocol import UNKNOWN
from lemur.agents.players.scripted import Scripted
from lemur.core.errors import UserError
from lemur.data.journal import Journal

FILES = {"root": {"work": {"type": "directory", "contents": {
    "a.txt": {"type": "file", "content": "two\none"}}}}}  # fmt: skip
ENTRY = {
    "id": "multi_turn_miss_func_0",
    "question": [[{"role": "user", "content": "Show me a.txt."}], [{"role": "user", "content": "Sort it."}], []],
    "initial_config": {"GorillaFileSystem": FILES},
    "involved_classes": ["GorillaFileSystem"],
    "missed_function": {"2": ["sort"]},
}  # fmt: skip
GOLD = {"id": ENTRY["id"], "ground_truth": [["cat('a.txt')"], [], ["sort(file_name='a.txt')"]]}


def document(name, *arguments):
    properties = {argument: {"type": "string"} for argument in arguments}
    return {"name": name, "description": name, "parameters": {"properties": properties}}


DOCUMENTS = [document("cat", "file_name"), document("sort", "file_name"),
             document("touch", "file_name"), document("echo", "content", "file_name")]  # fmt: skip


def made(folder, entry=ENTRY, gold=GOLD, documents=DOCUMENTS):
    name = "BFCL_v4_multi_turn_miss_func.json"
    (folder / "possible_answer").mkdir(exist_ok=True)
    (folder / "multi_turn_func_doc").mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(entry) + "\n")
    (folder / "possible_answer" / name).write_text(json.dumps(gold) + "\n")
    path = folder / "multi_turn_func_doc/gorilla_file_system.json"
    path.write_text("\n".join(map(json.dumps, documents)))
    return environments.load("bfcl", {"data": folder, "categories": ["miss_func"]})


@pytest.fixture
def suite(tmp_path):
    return made(tmp_path)


def play(suite, answers, path, chosen=None):
    chosen = suite.tasks() if chosen is None else chosen
    if (why := suite.unplayable(chosen[0])) is not None:
        pytest.skip(f"toolchain: {why}")
    given = {task.id: answers(task) for task in chosen}
    with Journal(path) as journal:
        episodes = Driver(suite, Scripted(given), journal, 3, 1).play(chosen, "bfcl")
    return episodes, [suite.judge(*pair) for pair in zip(chosen, episodes, strict=True)]


def test_gold_answers_are_valid_and_a_later_function_is_offered_later(suite, tmp_path):
    (episode,), (verdict,) = play(suite, suite.gold, tmp_path / "j")
    assert (episode.end, verdict.paper, verdict.strict) == ("finished", 1.0, 1.0)
    said = [turn.observation for turn in episode.turns]
    assert "two\\\\none" in said[0] and said[1] == "Sort it." and "one\\\\ntwo" in said[3]
    assert said[2].endswith("What about now?") and "'name': 'sort'" in said[2]
    asked = suite.messages(suite.tasks()[0], "", episode.turns[:1])
    assert [one["role"] for one in asked] == ["system", "user", "assistant", "user"]
    assert '"name": "cat"' in asked[0]["content"] and '"sort"' not in asked[0]["content"]


@pytest.mark.parametrize(
    "answers, paper, strict, why",
    [
        (["[cat(file_name='a.txt')]", "", "", "[touch(file_name='b')]", ""], 0, 0, "state"),
        (["", "", ""], 0, 0, "empty for turn 0"),
        (["[cat(file_name='a.txt')]", "", "[cat(file_name='a.txt')]", "", "[sort(file_name='a.txt')]", ""],
         1, 0, "calls where none are due"),
        (["[cat('a.txt')]", "", "", "[sort(file_name='a.txt')]", ""], 0, 0, "does not contain all"),
    ],
)  # fmt: skip
def test_wrong_answers_are_told_apart(suite, tmp_path, answers, paper, strict, why):
    _, (verdict,) = play(suite, lambda task: answers, tmp_path / "j")
    assert (verdict.paper, verdict.strict) == (paper, strict)
    assert why in verdict.why


def test_too_many_steps_end_an_episode(suite, tmp_path):
    suite.steps = 2
    (episode,), (verdict,) = play(
        suite, lambda task: ["[cat(file_name='a.txt')]"] * 9, tmp_path / "j"
    )
    assert (episode.end, len(episode.turns)) == ("too many steps", 3)
    assert (verdict.paper, verdict.why) == (0.0, "too many steps")


def test_a_model_cannot_have_code_evaluated(suite, tmp_path):
    answers = [
        "[__import__('os').system('true'), open(file='/etc/passwd'), eval(x='1')]",
        "",
        "",
        "",
    ]
    (episode,), (verdict,) = play(suite, lambda task: answers, tmp_path / "j")
    assert episode.turns[0].info["action"] == [UNKNOWN] * 3
    assert episode.turns[0].observation.count("is not defined") == 3
    assert verdict.paper == 0.0


def test_answers_are_read_as_literals_alone():
    names = frozenset({"f", "g"})
    read = lambda text: protocol.parse(text, names)  # noqa: E731
    assert read("[f(a=1, b=[-2, {'c': None}])]") == ["f(a=1,b=[-2, {'c': None}])"]
    assert read("```\nf(a=x), g()\n```") == ["f(a='x')", "g()"]
    assert read("f(a=g(b=1))") == ["f(a=g(b=1))"]
    assert read("f(a=h(b=1))") == [f"f(a={UNKNOWN})"]
    assert read("f(a=g(1))") == ["f(a='g(1)')"]
    assert read("f('dropped', b=2)") == ["f(b=2)"]
    assert read("k.f(a=1)") == [UNKNOWN]
    for text in ("", "I am done.", "[", "f(**{})", "f(a=(lambda: 1))", "1", "(" * 9000, "\x00"):
        assert read(text) == [], text


def test_calls_of_references_get_names():
    assert (
        tasks.by_name("echo('x', file_name='y')", DOCUMENTS) == "echo(content='x', file_name='y')"
    )


@pytest.mark.parametrize(
    "change, said",
    [
        ({"entry": {"id": "x"}}, "line 1: no key 'question'"),
        ({"gold": GOLD | {"id": "y"}}, "no answer of 'multi_turn_miss_func_0'"),
        ({"entry": ENTRY | {"involved_classes": ["MathApi"]}}, "did you mean 'MathAPI'"),
    ],
)
def test_data_of_another_schema_are_one_clear_line(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        made(tmp_path, **change)
    with pytest.raises(UserError, match="category 'bse'; did you mean 'base'"):
        environments.load("bfcl", {"data": tmp_path, "categories": ["bse"]})
    with pytest.raises(UserError, match="base.json: no such file"):
        environments.load("bfcl", {"data": tmp_path, "categories": ["base"]})


def test_without_its_environment_it_is_unplayable(suite, monkeypatch):
    monkeypatch.setattr("lemur.agents.environments.bfcl.packages", lambda: None)
    if "not built" not in (why := suite.unplayable(suite.tasks()[0])):
        pytest.skip(f"sandbox: {why}")
    with pytest.raises(UserError, match="workflow/env-build bfcl"):
        environments.load("bfcl", {})


def built():
    if world.packages() is None:
        pytest.skip(f"toolchain: {world.BUILD}")
    return environments.load("bfcl", {})


def test_references_of_four_tasks_are_valid(tmp_path):
    suite = built()
    assert len(suite.tasks()) == 800
    _, verdicts = play(suite, suite.gold, tmp_path / "j", suite.tasks()[::200])
    assert [verdict.strict for verdict in verdicts] == [1.0] * 4


@pytest.mark.long
def test_references_of_all_800_tasks_are_valid(tmp_path):
    suite = built()
    _, verdicts = play(suite, suite.gold, tmp_path / "j")
    assert sum(verdict.paper for verdict in verdicts) == 800
    assert sum(verdict.strict for verdict in verdicts) == 800
