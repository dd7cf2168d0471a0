"""Sandboxes that are prepared ahead: each sees one program, and what dies is replaced."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lemur.core.provenance import ROOT
from lemur.sandbox import pool as sandbox_pool
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.steps import Steps

RIGHT = Job("def f(): return 1", ("assert f() == 1",), ("f",))


@pytest.fixture
def prepared(sandbox):
    sandbox_pool.close()
    yield sandbox_pool.prepare(sandbox)
    sandbox_pool.close()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_a_sandbox_is_used_once(sandbox, prepared):
    seen = set()
    kept = prepared.done
    prepared.done = lambda confined: (seen.add(confined.process.pid), kept(confined))
    for _ in range(5):
        assert judge(sandbox, RIGHT).verdict == "passed"
    assert len(seen) == 5
    until(lambda: sum(map(len, prepared.spares.values())) == prepared.ahead)


def test_spares_that_died_waiting_are_replaced(sandbox, prepared):
    assert judge(sandbox, RIGHT).verdict == "passed"
    until(lambda: sum(map(len, prepared.spares.values())) == prepared.ahead)
    for confined, _ in next(iter(prepared.spares.values())):
        os.kill(confined.first, signal.SIGKILL)
        confined.process.wait(5)
    assert judge(sandbox, RIGHT).verdict == "passed"


def steps(root, code="print(open('/root-of').read())"):
    python = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return Steps((("a.py", code),), ((python, "-I", "-S", "a.py"),), root, word=("here", ""))


def test_commands_begin_in_a_sandbox_of_their_own_root(sandbox, prepared, tmp_path):
    """One root after the other, and several at once: each finds its own, the others' are ended."""
    roots = []
    for number in range(4):
        (tmp_path / str(number)).write_text("here\n" if number else "elsewhere\n")
        roots.append(Root(((str(tmp_path / str(number)), "/root-of"),)))
    first = steps(roots[0]).run(sandbox, Limits())
    assert (first.verdict, first.ended) == ("passed", False), first
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: steps(roots[k % 3 + 1]).run(sandbox, Limits()), range(12)))
    assert {(one.verdict, one.ended) for one in found} == {("passed", True)}, found
    until(lambda: not any(kind[2] == roots[0] and many for kind, many in prepared.spares.items()))


def test_a_root_that_is_gone_does_not_hang(sandbox, prepared, tmp_path):
    found = steps(Root(((str(tmp_path / "gone"), "/root-of"),))).run(sandbox, Limits())
    assert (found.verdict, found.detail) == ("error", "its judge was ended with it")


def test_a_checker_that_died_is_started_again(sandbox, prepared):
    assert judge(sandbox, RIGHT).verdict == "passed"
    os.kill(prepared.checkers[sandbox_pool.HOLDER][0].first, signal.SIGKILL)
    prepared.checkers[sandbox_pool.HOLDER][0].process.wait(5)
    assert judge(sandbox, RIGHT).verdict == "passed"


def test_tests_share_nothing_but_what_they_began_with(sandbox, prepared):
    one = Job(RIGHT.program, ("import math; math.left = 1", "assert f() == 1"), ("f",))
    assert judge(sandbox, one).verdict == "passed"
    two = Job(RIGHT.program, ("import math", "assert not hasattr(math, 'left')"), ("f",))
    assert judge(sandbox, two).verdict == "passed"


def test_a_test_ends_with_its_program(sandbox, prepared):
    """A test that would run on after its time has no process left."""
    endless = Job(RIGHT.program, ("f()", "while True: pass"), ("f",))
    assert judge(sandbox, endless, Limits(wall_seconds=1)).verdict == "timeout"

    def busy():
        told = subprocess.run(["ps", "-eo", "pid,ppid,stat,args"], capture_output=True, text=True)
        lines = [line for line in told.stdout.splitlines() if "/judge/checker.py" in line]
        return [line for line in lines if line.split()[2].startswith("R")]

    until(lambda: not busy())


def test_many_at_once(sandbox, prepared):
    verdicts = []
    wrong = Job("def f(): return 2", ("assert f() == 1",), ("f",))

    def work(job, wanted):
        for _ in range(3):
            verdicts.append(judge(sandbox, job).verdict == wanted)

    threads = [
        threading.Thread(target=work, args=one)
        for one in [(RIGHT, "passed"), (wrong, "failed")] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 18


def test_all_ends_with_the_process_that_began_it(sandbox):
    """Also when that is killed and closes nothing."""
    code = (
        "import time\nfrom lemur.sandbox import pool as sandbox_pool\nfrom lemur.sandbox.probe import probe\n"
        "one = sandbox_pool.prepare(probe())\n"
        "pids = [c.process.pid for many in one.spares.values() for c, _ in many]\n"
        "print(one.checkers[sandbox_pool.HOLDER][0].process.pid, *pids, flush=True)\ntime.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    )
    pids = [int(word) for word in process.stdout.readline().split()]
    assert pids
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids))
