"""DS-1000's problems judged by two processes: right answers pass, and no way of cheating does."""

from pathlib import Path

import numpy
import pytest
from lemur.evaluation.benchmarks.ds1000 import judge as ds1000
from lemur.evaluation.benchmarks.ds1000 import separated
from lemur.evaluation.benchmarks.ds1000.separated import Separated
from lemur.sandbox.policy import Limits
from made_science import FORGES, PLAIN, ROWS, SAME, TOGETHER

# The packages of this environment have NumPy, pandas and PyTorch too.
HERE = Path(numpy.__file__).parents[1]


def judged(sandbox, context, code, packages=HERE):
    job = Separated(context, code, ds1000.root(packages))
    return job.run(sandbox, Limits(cpu_seconds=20, wall_seconds=60, memory_mb=2048))


@pytest.mark.parametrize(
    ("code", "verdict", "words"),
    [
        ("result = sum(x)", "passed", ""),
        ("print('no end', end='')\nresult = sum(x)", "passed", ""),
        ("result = 7", "failed", "AssertionError"),
        ("result = 0\nfor one in x: result += one", "failed", "AssertionError"),  # by its text
        ("result = (", "error", "SyntaxError"),
        ("import numpy", "error", "No module named"),
        ("\ud800 = 1", "error", "surrogates"),
        ("", "failed", "KeyError"),
        ("result = sum", "error", "NoForm"),
        ("raise SystemExit(0)", "error", "SystemExit"),
        ("import os; os._exit(0)", "error", "ended before its test did"),
        ("import os; os.kill(os.getpid(), 11)", "error", "ended by signal 11"),
        ("open('/judge/x', 'w')", "forbidden", "Read-only"),
        ("x = bytearray(3 << 30)", "out of memory", ""),
        ("def f(): f()\nf()", "error", "RecursionError"),
    ],
)
def test_what_a_program_may_do(sandbox, tmp_path, code, verdict, words):
    """With no library but Python's own: the packages of the environment are an empty folder."""
    found = judged(sandbox, PLAIN["code_context"], code, tmp_path)
    assert found.verdict == verdict and words in found.detail, found


def test_the_limit_on_processor_time(sandbox, tmp_path):
    job = Separated(PLAIN["code_context"], "while 1: pass", ds1000.root(tmp_path))
    assert job.run(sandbox, Limits(cpu_seconds=1)).verdict == "timeout"


CONTEXT = '''
import random
import numpy as np
import pandas as pd
{imports}

def generate_test_case(test_case_id):
{make}

def exec_test(result, ans):
    {compare}
    return 1

exec_context = r"""
import numpy as np
import pandas as pd
x = test_input
[insert]
"""

def test_execution(solution: str):
    code = exec_context.replace("[insert]", solution)
    for i in range(2):
        test_input, expected_result = generate_test_case(i + 1)
        test_env = {{"test_input": test_input}}
        exec(code, test_env)
        assert exec_test(test_env["result"], expected_result)
'''


def context(make, compare, imports=""):
    lines = "".join(f"    {line}\n" for line in make.split("\n"))
    return CONTEXT.format(make=lines, compare=compare, imports=imports)


FRAME = context(
    "frame = pd.DataFrame({'k': ['a', 'b', 'a'], 'n': [1.0, 2.0, 3.0 * test_case_id]})\n"
    "return frame, frame.groupby('k').sum()",
    "pd.testing.assert_frame_equal(result, ans)",
)
ARRAY = context(
    "return np.arange(4) * test_case_id, np.arange(4) * test_case_id + 1",
    "np.testing.assert_allclose(result, ans)",
)
# Each passes, or might, where test and program are one process.
PATCHES = """
import builtins, sys
nothing = lambda *_, **__: True
for module in list(sys.modules.values()):
    if (getattr(module, "__name__", "") or "").partition(".")[0] in ("numpy", "pandas"):
        for name in dir(module):
            if name.startswith(("assert_", "allclose", "array_eq")):
                try: setattr(module, name, nothing)
                except Exception: pass
builtins.AssertionError = type("Never", (BaseException,), {})
pd.DataFrame.equals = nothing
result = x
"""
WALKS = """
import gc, sys
found, frame = [], sys._getframe()
while frame is not None:
    found += [frame.f_globals, frame.f_locals]
    frame = frame.f_back
found += [one for one in gc.get_objects() if type(one) is dict]
result = None
for one in found:
    for name in ("expected_result", "ans"):
        if name in one: result = one[name]
    for name in ("exec_test", "test_execution", "test_string"):
        if name in one: one[name] = lambda *_: 1
    if "generate_test_case" in one: result = one["generate_test_case"](1)[1]
"""
POSES = """
class Poses:
    __class__ = property(lambda self: np.ndarray)
    __array__ = lambda self, *_, **__: np.zeros(4)
    __array_function__ = lambda self, *_: True
    __eq__ = __ne__ = lambda self, other: True
    shape, dtype, ndim = (4,), np.dtype("i8"), 1
result = Poses()
"""
# What writes the answer is the program's to replace: it can write what it likes, and no more.
REPLACES = """
import sys
values, wire = sys.modules["values"], sys.modules["wire"]
values.encode = lambda value: FORM
result = 1
"""
READS = """{"dict": [["result", {"pd.series": [{"np.objects": [[4], [{"dict": [
    ["shape", {"tuple": [4]}], ["typestr", "<i8"], ["data", {"tuple": [4096, False]}],
    ["version", 3]]}, 1, 2, 3]]}, {"pd.index": [{"np.objects": [[4],
    ["__array_interface__", "a", "b", "c"]]}, None, None]}, None]}]]}"""
OTHERS = '{"dict": [["exec_test", 1], ["result", 1]]}'
CODE = '{"dict": [["result", {"pickle": "Y29zCnN5c3RlbQou"}]]}'
STAYS = """
import os, time
if os.fork() == 0:
    os.setsid()
    while True:
        try: os.write(int(os.environ["LEMUR_CHANNEL"]), b"\\x02\\0\\0\\0{}")
        except OSError: pass
result = None
"""


@pytest.mark.parametrize(
    "code",
    [
        *(SAME, PATCHES, WALKS, FORGES, POSES, STAYS),
        *(REPLACES.replace("FORM", form) for form in (READS, OTHERS, CODE)),
    ],
    ids=["same", "patches", "walks", "forges", "poses", "stays", "reads", "others", "code"],
)
def test_no_way_of_cheating_passes(sandbox, code):
    found = judged(sandbox, ARRAY, code.replace("null", "None"))
    assert found.verdict in ("failed", "error"), found


@pytest.mark.parametrize("code", [SAME, PATCHES, WALKS, FORGES])
def test_no_way_of_cheating_passes_with_frames(sandbox, code):
    assert judged(sandbox, FRAME, code).verdict in ("failed", "error")


def test_the_same_ways_pass_in_one_process(sandbox):
    """So that the tests above try something."""
    for text, code in ((PLAIN["code_context"], SAME), (ARRAY, WALKS), (FRAME, PATCHES)):
        found = ds1000.problem(HERE, text, code).run(sandbox, Limits())
        assert found.verdict == "passed", found


def test_right_answers_pass(sandbox):
    found = judged(sandbox, FRAME, "result = x.groupby('k').sum()")
    assert found.verdict == "passed", found
    found = judged(sandbox, ARRAY, "result = (one + 1 for one in x)\nresult = list(result)")
    assert found.verdict == "passed", found
    assert judged(sandbox, ARRAY, "result = x + 2").verdict == "failed"


@pytest.mark.parametrize(
    ("library", "seed", "draw", "get", "set_"),
    [
        ("random", "seed", "random()", "getstate", "setstate"),
        ("numpy.random", "seed", "rand()", "get_state", "set_state"),
        pytest.param(
            *("torch", "manual_seed", "rand(1).item()", "get_rng_state", "set_rng_state"),
            marks=pytest.mark.long,
        ),
    ],
)
def test_random_numbers_go_on_where_the_test_has_come_to(sandbox, library, seed, draw, get, set_):
    seeded = context(
        f"{library}.{seed}(test_case_id)\n{library}.{draw}\nkept = {library}.{get}()\n"
        f"ans = {library}.{draw}\n{library}.{set_}(kept)\nreturn None, ans",
        "assert result == ans",
        f"import {library}",
    )
    draws = f"import {library}\nresult = {library}.{draw}"
    assert judged(sandbox, seeded, draws).verdict == "passed"
    assert judged(sandbox, seeded, f"{draws}\n{draws}").verdict == "failed"
    assert ds1000.problem(HERE, seeded, draws).run(sandbox, Limits()).verdict == "passed"


def test_files_that_a_test_leaves_for_its_program(sandbox):
    writes = context(
        "with open('n.txt', 'w') as file: file.write(str(test_case_id))\nreturn None, test_case_id",
        "assert result == ans",
    )
    assert judged(sandbox, writes, "result = int(open('n.txt').read())").verdict == "passed"
    assert judged(sandbox, writes, "result = 1").verdict == "failed"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        ("return (lambda: 0), 1", "cannot be sent"),
        ("return eval('1'), 1", "evaluates a text"),
        ("open('n', 'wb').write(bytes(9 << 20))\nreturn 1, 1", "large files"),
    ],
)
def test_what_takes_the_program_in_the_test_s_process(sandbox, make, words):
    found = judged(sandbox, context(make, "assert True"), "result = 1")
    assert found.verdict == "error" and "Inseparable" in found.detail and words in found.detail


def test_what_a_problem_s_text_tells():
    assert separated.together(PLAIN["code_context"]) is None
    assert separated.together(TOGETHER[0]["code_context"]) == separated.ASSERTS
    assert separated.together(TOGETHER[1]["code_context"]) is None
    told = {row["metadata"]["library"]: separated.together(row["code_context"]) for row in ROWS}
    assert {name for name, why in told.items() if why} == {"Matplotlib"}
    assert told["Matplotlib"] == separated.FIGURE


@pytest.mark.long
@pytest.mark.parametrize("row", [row for row in ROWS[:-1] if row["metadata"]["problem_id"] != 5])
def test_the_libraries_of_the_environment(sandbox, row):
    """Each library's values leave their process, and forged ones are seen to be."""
    if ds1000.site() is None:
        pytest.skip(f"toolchain: environment ds1000 is not built: {ds1000.BUILD}")
    text, packages = row["code_context"], ds1000.site()
    found = judged(sandbox, text, row["reference_code"], packages)
    assert found.verdict == "passed", found
    for code in ("result = None", SAME, POSES.replace("class", "import numpy as np\nclass"), WALKS):
        found = judged(sandbox, text, code, packages)
        assert found.verdict in ("failed", "error"), (code, found)
