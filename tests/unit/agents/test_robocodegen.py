"""RoboCodeGen: functions are asked for, helpers too, and judged where a program cannot lie."""

import json
import os
from pathlib import Path

import pytest
from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environments.robocodegen import protocol
from lemur.agents.environments.robocodegen.protocol import Wanted
from lemur.agents.players.scripted import Scripted
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal

LINE = {"linestring": [[0.0, 0.0], [1.0, 0.0]]}
DISK = {"polygon": [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]}


def problem(name, signature, compare, tests, reference):
    return {
        "name": name, "signature": signature, "compare": compare, "reference": reference,
        "tests": [{"inputs": given, "expected": expected} for given, expected in tests],
    }  # fmt: skip


PROBLEMS = [
    problem("double", "y = double(x)", "allclose", [([2], 4), ([{"array": [1, 2]}], {"array": [2, 4]})],
            "lambda x: x * 2"),
    problem("make_line", "line = make_line(n)", "eq", [([1], LINE)], "lambda n: LineString([[0, 0], [n, 0]])"),
    problem("make_square", "shape = make_square(n)", "shape_eq", [([1], DISK)], "lambda n: box(0, 0, n, n)"),
    problem("is_obj0_bigger_than_obj1", "b = is_obj0_bigger_than_obj1(obj0_name, obj1_name)", "eq",
            [(["block0", "block5"], True)], "see reference_api"),
]  # fmt: skip
SQUARES = {"block0": 2.0, "block5": 1.0}
FILE = {
    "problems": PROBLEMS,
    "prompts": {"hierarchical": "# solved", "flat": "# flat"},
    "api": {"get_obj_outer_pts_np": {k: [[0, 0], [n, 0], [n, n]] for k, n in SQUARES.items()}},
    "reference_api": "def is_obj0_bigger_than_obj1(a, b):\n    return area(a) > area(b)\n"
    "def area(a):\n    return Polygon(get_obj_outer_pts_np(a)).area\n",
}


def made(folder, value=FILE, **settings):
    (folder / "derived").mkdir(exist_ok=True)
    (folder / "derived/robocodegen.json").write_text(json.dumps(value))
    return environments.load("robocodegen", {"data": folder, **settings})


@pytest.fixture
def suite(tmp_path):
    return made(tmp_path)


def playable(suite):
    if (why := suite.unplayable(suite.tasks()[0])) is not None:
        pytest.skip(f"toolchain: {why}")


def play(suite, answers, path):
    tasks = [task for task in suite.tasks() if task.id in answers]
    with Journal(path) as journal:
        return Driver(suite, Scripted(answers), journal, 2, 1).play(tasks, "robocodegen")


def test_gold_answers_solve_every_made_problem(suite, tmp_path):
    playable(suite)
    episodes = play(suite, {task.id: suite.gold(task) for task in suite.tasks()}, tmp_path / "j")
    verdicts = [suite.judge(*pair) for pair in zip(suite.tasks(), episodes, strict=True)]
    assert [(verdict.paper, verdict.strict) for verdict in verdicts] == [(1.0, 1.0)] * 4, verdicts
    assert [turn.observation for episode in episodes for turn in episode.turns] == [
        "The function passes its tests."
    ] * 4


def test_helpers_that_an_answer_calls_are_asked_for_in_the_same_way(suite, tmp_path):
    playable(suite)
    answers = {
        "double": [
            "def double(x):\n    y = total_of(x, times=2)\n    return y",
            "def total_of(x, times):\n    return product(x, times)",
            "def product(a, b):\n    return a * b",
        ]
    }
    episode = play(suite, answers, tmp_path / "j")[0]
    assert episode.end == "solved" and len(episode.turns) == 3
    assert [turn.info.get("asks") for turn in episode.turns] == [
        ["total_of", "y = total_of(x, times=2)"], ["product", "product(x, times)"], None,
    ]  # fmt: skip
    asked = suite.messages(suite.tasks()[0], "", episode.turns[:1])
    assert asked == [
        {"role": "user", "content": "# solved\n# define function: y = total_of(x, times=2)."}
    ]
    assert suite.judge(suite.tasks()[0], episode).strict == 1.0


def test_over_several_turns_the_error_comes_back(tmp_path):
    suite = made(tmp_path, turns=2)
    playable(suite)
    task = suite.tasks()[0]
    wrong = "def double(x):\n    return x / 0"
    episode = play(suite, {"double": [wrong, *suite.gold(task)]}, tmp_path / "j")[0]
    assert episode.end == "solved" and len(episode.turns) == 2
    said = suite.messages(task, "", episode.turns[:1])
    assert [one["role"] for one in said] == ["user", "assistant", "user"]
    assert said[1]["content"] == wrong and "ZeroDivisionError" in said[2]["content"]
    assert suite.judge(task, episode).paper == 1.0
    once = play(made(tmp_path), {"double": [wrong, *suite.gold(task)]}, tmp_path / "k")[0]
    assert (once.end, len(once.turns)) == ("out of turns", 1)


def test_the_two_scores_differ_where_the_notebook_is_generous(suite, tmp_path):
    playable(suite)
    answers = {
        # A tiny shape passes, since an area is taken for a relative tolerance; so does a constant.
        "make_square": ["make_square = lambda n: box(0, 0, 0.999, 1.9)"],
        "is_obj0_bigger_than_obj1": ["def is_obj0_bigger_than_obj1(a, b):\n    return True"],
    }
    episodes = play(suite, answers, tmp_path / "j")
    tasks = [task for task in suite.tasks() if task.id in answers]
    verdicts = [suite.judge(*pair) for pair in zip(tasks, episodes, strict=True)]
    assert [(verdict.paper, verdict.strict, verdict.why) for verdict in verdicts] == [
        (1.0, 0.0, "passes by tolerance"), (1.0, 0.0, "constant"),
    ]  # fmt: skip


BAD = {
    "nothing": ("", "NameError|KeyError"),
    "no Python": ("I think that\x00 x", "SyntaxError|ValueError"),
    "an import": ("import os\ndef double(x): return 2 * x", "the text holds 'import'"),
    "a result of its own": ("class D: pass\ndef double(x): return D()", "TypeError: a result of"),
    "too much": ("def double(x): return 'x' * 10 ** 7", "the results are too large"),
    "memory": ("def double(x): return 'x' * 10 ** 12", "MemoryError"),
    "an end": ("def double(x): raise SystemExit(0)", "SystemExit"),
    "surrogates": ("def double(x): return chr(0xd800)", "not what is expected"),
    "a fork bomb": (
        "def double(x):\n    os = np.lib._npyio_impl.os\n    while True: os.fork()",
        "BlockingIOError|MemoryError|TimeoutError",
    ),
    "a short one": ("def double(x): return 4", "not what is expected"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_answers_are_observations(suite, tmp_path, kind):
    playable(suite)
    answer, said = BAD[kind]
    episode = play(suite, {"double": [answer]}, tmp_path / "j")[0]
    assert episode.end == "out of turns"
    error = episode.turns[-1].info["error"]
    assert any(word in error for word in said.split("|")), error
    assert len(episode.turns[-1].observation) < 1000
    assert suite.judge(suite.tasks()[0], episode).paper == 0.0


def test_a_helper_that_needs_another_for_ever_ends(suite, tmp_path):
    playable(suite)
    answers = ["def double(x): return f0(x)"]
    answers += [f"def f{n}(x): return f{n + 1}(x)" for n in range(20)]
    episode = play(suite, {"double": answers}, tmp_path / "j")[0]
    assert len(episode.turns) == 9
    assert "too many functions" in episode.turns[-1].info["error"]


@pytest.mark.long
def test_a_program_that_does_not_end_is_ended(suite, tmp_path):
    playable(suite)
    episode = play(suite, {"double": ["def double(x):\n    while True: pass"]}, tmp_path / "j")[0]
    assert episode.turns[-1].info["error"].startswith("TimeoutError: the program ran longer")


def test_programs_are_read_as_the_notebook_reads_them():
    assert protocol.program("Sure:\n```python\nx = 1\n```\nDone") == "x = 1"
    assert protocol.program("  x = 1\n") == "x = 1"
    code = "def f(a, g):\n    b = h(a)\n    return g(b) + np.sum(a) + len(a) + k(box(0, 0, 1, 1))"
    assert protocol.calls(code, "f") == [Wanted("h", "b = h(a)"), Wanted("k", "k(box(0, 0, 1, 1))")]
    assert protocol.calls("def other(): return h()", "f") == []
    assert protocol.calls("(" * 500, "f") == []


@pytest.mark.parametrize(
    "change, said",
    [
        ({"problems": [{"name": "x"}]}, r"problems\[0\]: no key 'signature'"),
        ({"problems": [PROBLEMS[0] | {"compare": "equal"}]}, "compare is 'equal'"),
        ({"problems": [PROBLEMS[0]] * 2}, "the problem 'double' stands twice"),
    ],
)
def test_a_file_of_another_schema_is_one_clear_line(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        made(tmp_path, FILE | change)
    with pytest.raises(UserError, match="no key 'prompts'"):
        made(tmp_path, {"problems": []})
    with pytest.raises(UserError, match="prompt 'flt'; did you mean 'flat'"):
        made(tmp_path, prompt="flt")


def mirror():
    named = os.environ.get("LEMUR_MIRROR", str(ROOT.parent / "shared" / "mirror"))
    for place in named.split(os.pathsep):
        for path in Path(place).glob("google-research/google-research/*/derived/robocodegen.json"):
            return path.parents[1]
    pytest.skip("mirror: ../shared/mirror has no robocodegen.json")


@pytest.mark.long
def test_references_pass_37_of_37(tmp_path):
    suite = environments.load("robocodegen", {"data": mirror()})
    playable(suite)
    episodes = play(suite, {task.id: suite.gold(task) for task in suite.tasks()}, tmp_path / "j")
    verdicts = [suite.judge(*pair) for pair in zip(suite.tasks(), episodes, strict=True)]
    assert [episode.end for episode in episodes] == ["solved"] * 37
    assert (
        sum(verdict.paper for verdict in verdicts)
        == sum(verdict.strict for verdict in verdicts)
        == 37
    )


def test_the_first_prompt_is_the_notebooks():
    suite = environments.load("robocodegen", {"data": mirror()})
    text = suite.messages(suite.tasks()[0], "", ())[0]["content"]
    assert text.startswith("import numpy as np\nfrom shapely.geometry import *\n")
    assert text.endswith("\n# define function: idx = get_top_most_idx(points_np).")
    assert len(suite.tasks()) == 37
