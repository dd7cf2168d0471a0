"""Memory that no process has: page tables, and the buffers of sockets and pipes."""

import dataclasses
import sys
from pathlib import Path

import pytest
from lemur.sandbox import cgroup, pool, process
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import PLAIN, Limits
from lemur.sandbox.steps import Steps

PYTHON = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
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
CONNECTIONS = """
import socket, time
def f():
    held, listening = [], socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)  # as much as there may be
    for _ in range(NUMBER):
        there = socket.create_connection(listening.getsockname())
        there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 20)
        there.setblocking(False)
        held += [there, listening.accept()[0]]
        try:
            while True: there.send(bytes(1 << 20))
        except BlockingIOError: pass
    time.sleep(0.3)
    return 1
"""
POOL = """
import os, time
def f():
    pipes = [os.pipe() for _ in range(20)]
    for _ in range(12):
        if os.fork() == 0:
            time.sleep(0.4)
            os._exit(0)
    for _ in range(12): os.wait()
    return 1
"""


@pytest.fixture(params=["cgroup", "watch"])
def counted(request, monkeypatch):
    """Both ways of counting, each where there is one."""
    pool.close()
    if request.param == "cgroup" and cgroup.find_parent() is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    if request.param == "watch":
        monkeypatch.setattr(cgroup, "find_parent", lambda: None)
    yield
    pool.close()


def asked(sandbox, program, limits=LIMITS):
    return judge(sandbox, Job(program, ("assert f() == 1",), ("f",)), limits).verdict


def test_page_tables_count(sandbox, counted):
    """By a program that may reserve address space, as those of DS-1000 and MultiPL-E may."""
    for size, verdict in ((110, "out of memory"), (1, "passed")):
        code = TABLES.replace("SIZE", str(size)) + "f()"
        job = Steps((("a.py", code),), ((PYTHON, "-I", "-S", "a.py"),), PLAIN)
        assert job.run(sandbox, LIMITS).verdict == verdict


def test_buffers_of_sockets_count(sandbox):
    """Thirty processes hold 260 MB themselves, and their sockets 320. Without a cgroup what others
    give back at the same moment would hide as much."""
    if cgroup.find_parent() is None:
        pytest.skip("sandbox: no memory cgroup can be made here")
    wide = dataclasses.replace(LIMITS, memory_mb=420)
    assert asked(sandbox, SOCKETS.replace("NUMBER", "30"), wide) == "out of memory"
    assert asked(sandbox, SOCKETS.replace("NUMBER", "1"), wide) == "passed"


def test_few_sockets_can_hold_much(sandbox, counted):
    """Each connection of the own network holds megabytes; a program may have some dozens open."""
    size = Path("/proc/sys/net/core/rmem_max").read_text()
    if int(size) < 4 << 20:
        pytest.skip("sandbox: this kernel gives a connection little")
    assert asked(sandbox, CONNECTIONS.replace("NUMBER", "24")) == "out of memory"
    assert asked(sandbox, CONNECTIONS.replace("NUMBER", "1")) == "passed"


def test_what_others_take_is_not_laid_to_who_has_opened_much(sandbox, monkeypatch):
    """Without a cgroup. The machine loses a gigabyte with every look, the program has many pipes
    open, in many processes: they hold no more than pipes can."""
    taken = iter(range(0, 1 << 50, 1 << 30))
    monkeypatch.setattr(cgroup, "find_parent", lambda: None)
    monkeypatch.setattr(process, "measure_lost", lambda: next(taken))
    pool.close()
    assert asked(sandbox, POOL) == "passed"
    assert next(taken) > 2 << 30  # it was looked at
    pool.close()


def test_what_the_machine_has_lost_counts_as_far_as_buffers_can_hold_it(monkeypatch):
    """Without a cgroup. Other programs give memory back meanwhile: what counts is the least."""
    for most, found in ((8, [0, 1, 0, 3]), (2, [0, 1, 0, 2]), (0, [0, 0, 0, 0])):
        looked = iter(size << 30 for size in (5, 6, 4, 7))
        monkeypatch.setattr(process, "measure_lost", lambda looked=looked: next(looked))
        monkeypatch.setattr(process, "measure_page_tables", lambda _: 0)
        monkeypatch.setattr(process, "bound_buffers", lambda *_, most=most: (0, most << 30))
        watched = process.Confined.__new__(process.Confined)
        watched.group, watched._least, watched._first, watched.watched = None, None, 1, False
        assert [watched.measure_kernel_memory([1]) >> 30 for _ in range(4)] == found


def test_files_of_a_command_that_has_ended_still_count(sandbox):
    """It made them and was gone before the watch's next look."""
    code = "for number in range(300): open(f'/tmp/{number}', 'w')"
    job = Steps((("a.py", code),), ((PYTHON, "-I", "-S", "a.py"),), PLAIN)
    found = [job.run(sandbox, dataclasses.replace(LIMITS, files=100)) for _ in range(3)]
    assert {(each.verdict, each.detail) for each in found} == {
        ("error", "the limit on files in /tmp and /dev/shm")
    }
    assert job.run(sandbox, dataclasses.replace(LIMITS, files=1000)).verdict == "passed"
