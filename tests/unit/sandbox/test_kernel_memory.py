"""Memory that no process has: page tables, and the buffers of sockets and pipes."""

import dataclasses
import os
import sys

import pytest
from lemur.sandbox import cgroup, ready
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import PLAIN, Limits
from lemur.sandbox.steps import Steps

LIMITS = Limits(wall_seconds=20, cpu_seconds=8, memory_mb=160)
# Reads one byte of each 2 MB of address space: a page of tables each, and one page of zeros for all.
TABLES = """
import mmap, time
def f():
    size = SIZE << 30
    held = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, mmap.PROT_READ)
    held.madvise(mmap.MADV_NOHUGEPAGE)
    sum(held[at] for at in range(0, size, 2 << 20))
    time.sleep(0.3)
    return 1
"""
SOCKETS = """
import os, socket, time
def f():
    for _ in range(NUMBER):
        if os.fork() == 0:
            pairs = [socket.socketpair() for _ in range(24)]
            for one in (one for pair in pairs for one in pair):
                one.setblocking(False)
                try:
                    while True: one.send(bytes(32768))
                except BlockingIOError: pass
            time.sleep(20)
    time.sleep(1.5)
    return 1
"""


@pytest.fixture(params=["cgroup", "watch"])
def counted(request, monkeypatch):
    """Both ways of counting, each where there is one."""
    ready.close()
    if request.param == "cgroup" and cgroup.parent() is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    if request.param == "watch":
        monkeypatch.setattr(cgroup, "parent", lambda: None)
    yield
    ready.close()


def asked(sandbox, program, limits=LIMITS):
    return judge(sandbox, Job(program, ("assert f() == 1",), ("f",)), limits).verdict


def test_page_tables_count(sandbox, counted):
    """By a program that may reserve address space, as those of DS-1000 and MultiPL-E may."""
    python = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for size, verdict in ((110, "out of memory"), (1, "passed")):
        code = TABLES.replace("SIZE", str(size)) + "f()"
        job = Steps((("a.py", code),), ((python, "-I", "-S", "a.py"),), PLAIN)
        assert job.run(sandbox, LIMITS).verdict == verdict


def test_buffers_of_sockets_count(sandbox, counted):
    """Twenty-five processes hold 210 MB themselves, and their sockets as much again."""
    wide = dataclasses.replace(LIMITS, memory_mb=360)
    assert asked(sandbox, SOCKETS.replace("NUMBER", "24"), wide) == "out of memory"
    few = SOCKETS.replace("NUMBER", "1").replace("1.5", "0.1")
    assert asked(sandbox, few, wide) == "passed"


def test_no_group_is_left(sandbox):
    place = cgroup.parent()
    if place is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    assert asked(sandbox, "def f(): return 1") == "passed"
    ready.close()
    assert not list(place.glob(f"lemur-sandbox-{os.getpid()}-*"))
