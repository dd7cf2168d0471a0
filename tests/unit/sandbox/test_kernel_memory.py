"""Memory that no process has: page tables, and the buffers of sockets and pipes."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from lemur.sandbox import cgroup, process, ready
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
    filled, tell = os.pipe()
    for _ in range(NUMBER):
        if os.fork() == 0:
            pairs = [socket.socketpair() for _ in range(24)]
            for one in (one for pair in pairs for one in pair):
                one.setblocking(False)
                try:
                    while True: one.send(bytes(32768))
                except BlockingIOError: pass
            os.write(tell, b"x")
            time.sleep(20)
    for _ in range(NUMBER): os.read(filled, 1)
    time.sleep(0.3)
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


def test_buffers_of_sockets_count(sandbox):
    """Thirty processes hold 260 MB themselves, and their sockets 320."""
    if cgroup.parent() is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    wide = dataclasses.replace(LIMITS, memory_mb=420)
    assert asked(sandbox, SOCKETS.replace("NUMBER", "30"), wide) == "out of memory"
    assert asked(sandbox, SOCKETS.replace("NUMBER", "1"), wide) == "passed"


def test_what_the_machine_has_lost_is_laid_to_who_has_opened_much(monkeypatch):
    """Without a cgroup. Other programs give memory back meanwhile: what counts is the least."""
    for opened, found in ((100, [0, 1 << 30, 0, 3 << 30]), (10, [0, 0, 0, 0])):
        looked = iter(size << 30 for size in (5, 6, 4, 7))
        monkeypatch.setattr(process, "lost", lambda looked=looked: next(looked))
        monkeypatch.setattr(process, "kernel", lambda _, opened=opened: (0, opened))
        watched = process.Confined.__new__(process.Confined)
        watched.group, watched._before, watched.process = None, None, subprocess.Popen(["true"])
        assert [watched.kernel() for _ in range(4)] == found
        watched.process.wait()


def test_no_group_is_left(sandbox):
    place = cgroup.parent()
    if place is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    assert asked(sandbox, "def f(): return 1") == "passed"
    ready.close()
    assert not list(place.glob(f"lemur-sandbox-{os.getpid()}-*"))
    group = cgroup.make()
    left = subprocess.Popen(group.entering(["/bin/sleep", "60"]))
    until = time.monotonic() + 5
    while not (group.folder / "cgroup.procs").read_text() and time.monotonic() < until:
        time.sleep(0.01)
    threading.Thread(target=left.wait).start()
    group.close()
    assert not group.folder.exists() and left.wait() == -signal.SIGKILL
