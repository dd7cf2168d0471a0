"""Processor time is bounded for all processes of a program together, not for each by itself."""

import os
import subprocess
import sys
import time

import pytest
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.memory import list_tree
from lemur.sandbox.policy import PLAIN, Limits
from lemur.sandbox.processor import ProcessorTime
from lemur.sandbox.steps import Steps

LIMITS = Limits(wall_seconds=30, cpu_seconds=1)
# Each process stays below the limit; all together pass it.
AT_ONCE = """
import os, time
def f():
    for _ in range(SIDES):
        if os.fork() == 0:
            while time.process_time() < 0.4: pass
            os._exit(0)
    for _ in range(SIDES): os.wait()
    return 1
"""
# Never more than one at a time, and none is waited for by the program.
ONE_BY_ONE = """
import os, time
def f():
    told, tell = os.pipe()
    for _ in range(SIDES):
        if os.fork() == 0:
            if os.fork() == 0:
                while time.process_time() < 0.4: pass
                os.write(tell, b"x")
            os._exit(0)
        os.wait()
        os.read(told, 1)
    return 1
"""


@pytest.mark.parametrize("program", [AT_ONCE, ONE_BY_ONE], ids=["at once", "one by one"])
def test_all_processes_of_a_program_share_one_limit(sandbox, program):
    found = {}
    for sides in (1, 12):
        job = Job(program.replace("SIDES", str(sides)), ("assert f() == 1",), ("f",))
        found[sides] = judge(sandbox, job, LIMITS)
    assert found[1].verdict == "passed", found
    assert (found[12].verdict, found[12].detail) == ("timeout", "the limit on processor time"), (
        found
    )
    assert found[12].seconds < 12 * 0.4 * 4  # it was ended before it was done


def test_commands_share_one_limit_with_what_they_start(sandbox):
    """A command's own: what those before it have used does not count."""
    python = (f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}", "-I", "-S")
    busy = "import time\nwhile time.process_time() < 0.7: pass\n"
    forks = AT_ONCE.replace("SIDES", "12") + "f()\n"
    passes = Steps((("a.py", busy),), ((*python, "a.py"),) * 2, PLAIN)
    assert passes.run(sandbox, LIMITS).verdict == "passed"
    found = Steps((("a.py", forks),), ((*python, "a.py"),), PLAIN).run(sandbox, LIMITS)
    assert (found.verdict, found.detail) == ("timeout", "the limit on processor time"), found


def test_processes_that_ended_count():
    code = "import os, time\nos.fork()\nwhile time.process_time() < 0.5: pass\n"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}]); input()"
    used = ProcessorTime()
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        until = time.monotonic() + 20
        while (found := used.measure(list_tree([process.pid]))) < 0.6 and time.monotonic() < until:
            time.sleep(0.01)
        process.communicate(b"\n")
    assert found >= 0.6 and used.measure([process.pid]) == found
    assert used.measure([os.getpid()]) > 0
