"""Ways out that a kernel has beside files and sockets: other kinds of sockets, memory and files that
are nobody's, dumps, names. Each must fail inside and leave nothing outside."""

import os
import sys
import time

import pytest
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import PLAIN, Limits
from lemur.sandbox.steps import Steps

SMALL = Limits(wall_seconds=12, cpu_seconds=4, memory_mb=256, tmp_mb=8, file_mb=4)
LIBC = "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n"


def returned(sandbox, program, limits=SMALL):
    """What ``f`` of the program returns, as text (the detail of an assertion that fails)."""
    verdict = judge(sandbox, Job(program, ("value = f()", "assert 0, value"), ("f",)), limits)
    assert verdict.verdict == "failed", verdict
    return verdict.detail


def asked(sandbox, program, limits=SMALL):
    return judge(sandbox, Job(program, ("assert f() == 1",), ("f",)), limits)


def test_no_socket_but_local_ones_and_those_of_its_own_network(sandbox):
    """AF_VSOCK, which no namespace confines, reaches the hypervisor; netlink and AF_ALG the kernel."""
    program = """
import socket
def f():
    made = []
    for family in range(64):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try: socket.socket(family, kind).close()
            except OSError: continue
            made.append(family)
    return sorted(set(made))
"""
    assert set(eval(returned(sandbox, program))) <= {1, 2, 10}


# number on x86_64 and aarch64, arguments: each would work for a plain user outside
CALLS = {
    "io_uring_setup": (425, 425, "8, ctypes.create_string_buffer(256)"),
    "userfaultfd": (323, 282, "1"),
    "keyctl": (250, 219, "0, -3, 1"),  # the session's keyring
    "add_key": (248, 217, "b'user', b'lemur', b'x', 1, -3"),
    "bpf": (321, 280, "0, ctypes.create_string_buffer(128), 128"),
    "perf_event_open": (298, 241, "ctypes.create_string_buffer(128), 0, -1, -1, 0"),
    "process_vm_readv": (310, 270, "os.getppid(), 0, 0, 0, 0, 0"),
    "memfd_create": (319, 279, "b'x', 0"),
    "memfd_secret": (447, 447, "0"),
    "shmget": (29, 194, "0, 4096, 0o1600"),
    "semget": (64, 190, "0, 1, 0o1600"),
    "msgget": (68, 186, "0, 0o1600"),
    "name_to_handle_at": (303, 264, "-100, b'/', 0, 0, 0"),
    "kcmp": (312, 272, "1, 1, 0, 0, 0"),
}


def test_system_calls_that_reach_the_kernel_or_others_are_refused(sandbox):
    column = {"x86_64": 0, "aarch64": 1}.get(os.uname().machine)
    if column is None:
        pytest.skip("sandbox: no filter of system calls for this machine")
    calls = "".join(
        f"    ctypes.set_errno(0)\n    got = libc.syscall({numbers[column]}, {given})\n"
        f"    found.append(({name!r}, got, ctypes.get_errno()))\n"
        for name, (*numbers, given) in CALLS.items()
    )
    program = f"{LIBC}import os\ndef f():\n    found = []\n{calls}"
    program += "    return [one for one in found if one[1:] != (-1, errno.EPERM)]\n"
    assert returned(sandbox, program) == "[]"


def test_shared_memory_counts_when_the_one_who_filled_it_is_gone(sandbox):
    program = """
import mmap, os, time
def f():
    filled, tell = os.pipe()
    for _ in range(4):  # one after the other: no more than 120 MB are resident at a time
        if os.fork() == 0:
            held = mmap.mmap(-1, 120 << 20)
            if os.fork() == 0:
                for at in range(0, 120 << 20, 4096): held[at] = 1
                os._exit(0)
            os.wait()
            os.write(tell, b"x")
            time.sleep(20)
        os.read(filled, 1)
    time.sleep(0.3)
    return 1
"""
    assert asked(sandbox, program).verdict == "out of memory"
    few = "import mmap\ndef f():\n    mmap.mmap(-1, 1 << 20)[0] = 1\n    return 1"
    assert asked(sandbox, few).verdict == "passed"


def test_a_million_files(sandbox):
    """Empty files take no room of a limited file system, and a kilobyte of the kernel's each."""
    for folder in ("/tmp", "/dev/shm"):
        program = f"""
import os
def f():
    for number in range(10**6): os.close(os.open(f"{folder}/{{number}}", os.O_CREAT))
    return 1
"""
        verdict = asked(sandbox, program)
        assert verdict.verdict == "error" and "limit on files" in verdict.detail, verdict


def test_names_and_links_mean_nothing_outside(sandbox, tmp_path):
    target = tmp_path / "target"
    target.write_text("kept")
    program = f"""
import os
def f():
    os.symlink({str(target)!r}, "/tmp/link")
    try: open("/tmp/link", "w").write("written")
    except OSError: pass
    open("/tmp/a\\nb\\r\\x1b[2J", "w").close()
    open("/tmp/" + "x" * 255, "w").close()
    deep = "/tmp"
    try:
        while True:
            os.mkdir(deep + "/d" * 1); deep += "/d"
            if len(deep) > 3000: break
    except OSError: pass
    with open("/tmp/sparse", "wb") as file:
        file.seek((4 << 20) - 1); file.write(b"x")
    return 1
"""
    assert asked(sandbox, program).verdict == "passed"
    assert target.read_text() == "kept"


def test_no_dump_and_no_device(sandbox):
    program = """
import os, resource, stat
def f():
    found = []
    for folder, _, names in os.walk("/dev"):
        for name in names:
            path = os.path.join(folder, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISBLK(mode) or name in ("mem", "kmem", "kvm", "fuse", "console", "vsock"):
                found.append(path)
    try: os.mknod("/tmp/null", 0o666 | stat.S_IFCHR, os.makedev(1, 1)); found.append("mknod")
    except OSError: pass
    # 1: none, also where the kernel hands dumps to a program outside
    return found, resource.getrlimit(resource.RLIMIT_CORE)
"""
    assert returned(sandbox, program) == "([], (1, 1))"
    crash = "import ctypes\ndef f(): ctypes.string_at(0)"
    assert asked(sandbox, crash).verdict == "error"


def test_no_program_with_rights_of_its_owner(sandbox):
    program = """
import os, stat
def f():
    for folder, _, names in os.walk("/"):
        for name in names:
            path = os.path.join(folder, name)
            try: info = os.lstat(path)
            except OSError: continue
            if stat.S_ISREG(info.st_mode) and info.st_mode & stat.S_ISUID:
                if not os.statvfs(path).f_flag & os.ST_NOSUID: return path
    return 1
"""
    assert asked(sandbox, program, Limits(cpu_seconds=20, wall_seconds=60)).verdict == "passed"


def test_endless_output_without_a_line_end(sandbox):
    """Of a program that is run by commands: what it prints is read, and not kept."""
    python = f"/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    code = (
        "import sys\nwhile True: sys.stdout.write('x' * (1 << 20)); sys.stderr.write('y' * 65536)"
    )
    job = Steps((("a.py", code),), ((python, "-I", "-S", "a.py"),), PLAIN)
    began = time.monotonic()
    found = job.run(sandbox, Limits(cpu_seconds=1, wall_seconds=8, memory_mb=128))
    assert found.verdict in ("timeout", "failed", "error", "out of memory"), found
    assert len(found.detail) <= 300 and time.monotonic() - began < 15
