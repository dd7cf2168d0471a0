"""DS-1000: fetched from a hub, asked, and judged in an environment of its own where it is built."""

import json

import pytest
from answered import fetched, scored
from lemur.core.errors import UserError
from lemur.evaluation.benchmarks.ds1000 import judge as ds1000
from lemur.evaluation.benchmarks.ds1000 import separated
from lemur.evaluation.tasks import Bench
from lemur.sandbox.policy import Limits
from made_science import PLAIN, ROWS, SAME, TOGETHER
from tiny_benchmarks import listing


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hub")
    return fetched("ds1000", {"test.jsonl": jsonl([PLAIN, *ROWS])}, folder)


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        ("result = sum(x)", "passed", ""),
        ("result = 7", "failed", "AssertionError"),
        ("result = 0\nfor one in x: result += one", "failed", "AssertionError"),  # by its text
        ("result = (", "failed", "SyntaxError"),
        ("import os; os._exit(0)", "error", "ended before its test did"),
        ("raise SystemExit(0)", "error", "ended before its test did"),
        ("print('no end', end='')\nresult = sum(x)", "passed", ""),
        ("import numpy", "failed", "No module named"),
        ("\ud800 = 1", "failed", "SyntaxError"),
        ("", "failed", "KeyError"),
    ],
)
def test_one_process_as_the_original(sandbox, tmp_path, code, verdict, words):
    """With no library but Python's own: the packages of the environment are an empty folder."""
    job = ds1000.problem(tmp_path, PLAIN["code_context"], code)
    found = job.run(sandbox, Limits())
    assert found.verdict == verdict and words in found.detail, found


# Prints, each on a line of its own, all strings that it finds in arguments, environment, variables
# of every frame, what the collector knows, every file of the folder, standard input and every open
# descriptor; then leaves with 0.
PRINTS_ALL = """
import gc, os, sys
frame, found = sys._getframe(), []
while frame is not None:
    found += [frame.f_locals, frame.f_globals, frame.f_builtins, frame.f_code.co_consts]
    frame = frame.f_back
found += [sys.argv, sys.orig_argv, dict(os.environ), gc.get_objects()]
for name in os.listdir("."):
    found.append(open(name, errors="replace").read())
for number in (0, *range(3, 64)):
    try:
        os.set_blocking(number, False)
        found.append(os.read(number, 65536).decode(errors="replace"))
    except OSError:
        pass
out = open(1, "w", errors="replace", closefd=False)
def show(value, depth=0):
    if isinstance(value, str):
        out.write(value + "\\n")
    elif depth < 3 and isinstance(value, (list, tuple, dict)):
        for one in [*value, *(value.values() if isinstance(value, dict) else ())]:
            show(one, depth + 1)
show(found)
out.flush()
os._exit(0)
"""


@pytest.mark.parametrize(
    "code",
    [
        PRINTS_ALL,
        "import atexit, os\natexit.register(os._exit, 0)\nresult = 7",
        "import sys, os\nsys.excepthook = lambda *_: os._exit(0)\nresult = 7",
        "import threading, os\nthreading.Timer(0, os._exit, [0]).start()\nwhile 1: pass",
    ],
)
def test_who_leaves_one_process_early_does_not_pass(sandbox, tmp_path, code):
    code = code.replace("for ", "for\t")  # the made problem forbids loops by its text
    found = ds1000.problem(tmp_path, PLAIN["code_context"], code).run(sandbox, Limits())
    assert (found.verdict, found.detail) == ("error", "the program ended before its test did")


def test_code_is_cut_out_of_a_response():
    assert ds1000.answer("a = 1\n</code>\nmore") == "a = 1\n"
    assert ds1000.answer("```python\na = 1\n```\nso") == "\na = 1\n"
    assert ds1000.answer("<code>a\nEND SOLUTION\n") == "a"


def test_prompts(spec, manifest):
    task = Bench(spec("ds1000"), manifest).tasks["ds1000"]
    assert task.doc_to_text(task.eval_docs[0]) == PLAIN["prompt"]
    assert "</code>" in task.config.generation_kwargs["until"]


def test_without_its_environment_nothing_is_judged(spec, manifest, tmp_path, sandbox, monkeypatch):
    monkeypatch.setattr(ds1000, "site", lambda: None)
    made, _, _ = scored(spec("ds1000"), manifest, tmp_path / "out", lambda one: "")
    assert made["judged"] is False and made["value"] is None
    assert made["reason"] == "9 x environment 'ds1000' is not built: workflow/env-build ds1000"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code_context": "x = 1"}, "'code_context' defines no test_execution"),
        ({"metadata": {"problem_id": "1", "library": "Numpy"}}, "'problem_id' must be int"),
        ({"reference_code": None}, "'reference_code' must be str"),
    ],
)
def test_problems_of_another_shape_are_one_line(spec, tmp_path, change, words):
    (tmp_path / "test.jsonl").write_bytes(jsonl([PLAIN, PLAIN | change]))
    listing(tmp_path, "test.jsonl")
    with pytest.raises(UserError) as caught:
        Bench(spec("ds1000"), tmp_path / "m.json")
    assert words in str(caught.value) and "line 2" in str(caught.value)
    assert "\n" not in str(caught.value)


def plainly(spec, tmp_path, respond):
    """scores.json and verdicts of problems that need no library, judged without the environment."""
    rows = [PLAIN, *TOGETHER]
    (tmp_path / "test.jsonl").write_bytes(jsonl(rows))
    listing(tmp_path, "test.jsonl")
    made, items, _ = scored(spec("ds1000"), tmp_path / "m.json", tmp_path / "out", respond)
    return made, {item["document"]: item for item in items}


def test_what_cannot_be_separated_is_judged_in_one_process_and_named(
    spec, tmp_path, sandbox, monkeypatch
):
    monkeypatch.setattr(ds1000, "site", lambda: tmp_path)
    made, items = plainly(spec, tmp_path, lambda one: one["reference_code"])
    assert made["value"] == 1.0 and made["verdicts"]["passed"] == 3
    assert made["one_process"] == {
        "ds1000/20": "its test's assertions run with the program",
        "ds1000/21": "its reference solution by two processes: NoForm: a value of type "
        "string.Template is not plain data",
    }
    assert made["beside"]["one_process"]["differs_on"] == 0
    assert {item["one_process"] for item in items.values()} == {"passed"}


def test_a_forged_pass_counts_only_by_the_rule_of_the_original(
    spec, tmp_path, sandbox, monkeypatch
):
    monkeypatch.setattr(ds1000, "site", lambda: tmp_path)
    made, items = plainly(spec, tmp_path, lambda one: SAME)
    assert items["ds1000/0"]["verdict"] == "failed"
    assert items["ds1000/0"]["one_process"] == "passed"
    assert made["beside"]["one_process"]["differs_on"] == 1
    assert made["beside"]["one_process"]["value"] == made["value"] + 1 / 3


def test_orders_and_random_numbers_are_the_same_in_every_run(sandbox, tmp_path):
    code = "import random\nraise ValueError(list(set('abcdefgh')), random.random())"
    context = "import random\n" + PLAIN["code_context"]
    for job in (
        ds1000.problem(tmp_path, context, code),
        separated.Separated(context, code, ds1000.root(tmp_path)),
    ):
        details = {job.run(sandbox, Limits()).detail for _ in range(3)}
        assert len(details) == 1 and "'h'" in details.pop()


def test_an_empty_answer_does_not_pass_where_its_comparison_does(sandbox, tmp_path):
    context = PLAIN["code_context"].replace("assert result == ans", "assert result in ([], ans)")
    for code, verdict in (("result = sum(x)", "passed"), ("result = []", "failed")):
        job = separated.Separated(context, code, ds1000.root(tmp_path))
        found = job.run(sandbox, Limits())
        assert found.verdict == verdict, found


@pytest.mark.long
def test_masked_arrays_in_the_environment(sandbox):
    if ds1000.site() is None:
        pytest.skip(f"toolchain: environment ds1000 is not built: {ds1000.BUILD}")
    for code, verdict in (
        ("result = x.sum(axis=0)", "passed"),
        ("result = np.ma.array(x.sum(axis=0))", "passed"),
        ("result = np.ma.masked_all(np.shape(x.sum(axis=0)))", "failed"),
    ):
        job = separated.Separated(ROWS[0]["code_context"], code, ds1000.root(ds1000.site()))
        found = job.run(sandbox, Limits(cpu_seconds=60, wall_seconds=180, memory_mb=4096))
        assert found.verdict == verdict, (code, found)


@pytest.mark.long
def test_every_library_is_judged_in_the_environment(spec, manifest, tmp_path, sandbox):
    """Right answers pass, wrong ones fail, and a problem whose reference fails is left out."""
    if ds1000.site() is None:
        pytest.skip(f"toolchain: environment ds1000 is not built: {ds1000.BUILD}")
    right, items, _ = scored(
        spec("ds1000"), manifest, tmp_path / "right", lambda one: one["reference_code"] + "\n"
    )
    assert {item["document"]: item["verdict"] for item in items} == {
        **{f"ds1000/{number}": "passed" for number in range(8)},
        "ds1000/8": "not judged",
    }, items
    assert right["value"] == 1.0 and right["n_judged"] == 8
    assert list(right["reference_fails"]) == ["ds1000/8"]
    assert right["one_process"] == {"ds1000/5": separated.FIGURE}
    assert right["beside"]["one_process"]["differs_on"] == 0
    assert set(right["libraries"]) == {"Plain", *(row["metadata"]["library"] for row in ROWS)}
    wrong, _, _ = scored(spec("ds1000"), manifest, tmp_path / "wrong", lambda one: "result = None")
    assert wrong["value"] == 0.0 and wrong["n_judged"] == 8
