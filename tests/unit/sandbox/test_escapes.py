"""Programs that try to get out, to use up the machine, or to write their own verdict."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
from lemur.sandbox import pool
from lemur.sandbox.judge import Job, judge
from lemur.sandbox.policy import Limits

QUICK = Limits(wall_seconds=12, cpu_seconds=1, memory_mb=256, tmp_mb=8, file_mb=4)


def asked(sandbox, program, test="assert f() == 1", limits=QUICK):
    return judge(sandbox, Job(program, (test,), ("f",)), limits)


def returned(sandbox, program, limits=QUICK):
    """What ``f`` of the program returns, as text (the detail of an assertion that fails)."""
    verdict = judge(sandbox, Job(program, ("value = f()", "assert 0, value"), ("f",)), limits)
    assert verdict.verdict == "failed", verdict
    return verdict.detail


def running(mark):
    """Processes of this machine with ``mark`` in their command line or environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "cmdline").read_text() + (folder / "comm").read_text():
                found.append(folder.name)
        except OSError:
            continue
    return found


def gone(mark, seconds=3.0):
    until = time.monotonic() + seconds
    while running(mark) and time.monotonic() < until:
        time.sleep(0.02)
    return not running(mark)


def test_a_right_program_passes_and_a_wrong_one_fails(sandbox):
    assert asked(sandbox, "def f(): return 1").verdict == "passed"
    assert asked(sandbox, "def f(): return 2").verdict == "failed"
    assert asked(sandbox, "def f(: return 2").verdict == "error"
    assert asked(sandbox, "def g(): return 2").verdict == "error"
    assert asked(sandbox, "").verdict == "error"


@pytest.mark.parametrize("address", ["'192.0.2.1', 80", "'127.0.0.1', PORT"])
def test_no_network(sandbox, address):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = address.replace("PORT", str(listening.getsockname()[1]))
        program = f"import socket\ndef f(): socket.create_connection(({address}), 2); return 1"
        assert asked(sandbox, program).verdict in ("forbidden", "error")
        listening.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listening.accept()


def test_no_name_is_resolved(sandbox):
    program = "import socket\ndef f(): socket.getaddrinfo('localhost.localdomain', 80); return 1"
    assert asked(sandbox, program).verdict != "passed"


def test_no_socket_of_the_host(sandbox, tmp_path):
    path = tmp_path / "planted"
    with (
        socket.socket(socket.AF_UNIX) as named,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        named.bind(str(path))
        named.listen()
        os.chmod(path, 0o777)
        abstract.bind("\0lemur-planted")
        abstract.listen()
        for target in (repr(str(path)), r"'\0lemur-planted'"):
            program = f"""
import socket
def f():
    socket.socket(socket.AF_UNIX).connect({target})
    return 1
"""
            assert asked(sandbox, program).verdict in ("error", "forbidden")


def test_nothing_outside_tmp_can_be_written(sandbox):
    program = """
import os
def f():
    wrote, tried = [], 0
    for folder, inside, _ in os.walk("/"):
        if folder.startswith(("/tmp", "/dev/shm")):
            continue
        if folder.count("/") >= 3:
            inside.clear()  # one mount is as read-only below as above
        path = os.path.join(folder, "written")
        tried += 1
        try:
            open(path, "w").close()
            wrote.append(path)
        except OSError:
            pass
    return wrote, tried > 20
"""
    assert returned(sandbox, program) == "([], True)"
    assert asked(sandbox, "def f(): open('/written', 'w')").verdict == "forbidden"


def test_tmp_is_private(sandbox):
    mine = f"/tmp/lemur-private-{os.getpid()}"
    program = f"def f(): open('{mine}', 'w').close(); return 1"
    assert asked(sandbox, program).verdict == "passed"
    listed = returned(
        sandbox, "import os\ndef f(): return os.listdir('/tmp') + os.listdir('/dev/shm')"
    )
    assert listed == "[]"
    assert not Path(mine).exists()


def test_home_environment_and_host_are_not_to_be_seen(sandbox, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "not-for-you")
    program = """
import os
def f():
    names = ["/root", "/home", "/run", "/proc", "/sys", "/mnt", "/var", "/etc/passwd", "/work"]
    return [name for name in names if os.path.exists(name)], sorted(os.environ)
"""
    told = returned(sandbox, program)
    assert told.startswith("([], [")
    assert "SECRET" not in told
    assert asked(sandbox, "def f(): return open('/etc/passwd').read()").verdict == "error"


def test_not_root_and_without_rights(sandbox):
    program = """
import os, ctypes
def f():
    libc = ctypes.CDLL(None, use_errno=True)
    tried = {"root": os.getuid() == 0}
    try: os.setuid(0); tried["setuid"] = True
    except OSError: tried["setuid"] = False
    for name, call in {"mount": (b"none", b"/tmp", b"tmpfs", 0, None)}.items():
        tried[name] = getattr(libc, name)(*call) == 0
    tried["unshare"] = libc.unshare(0x10000000) == 0
    tried["ptrace"] = libc.ptrace(16, 1, 0, 0) == 0
    tried["chroot"] = libc.chroot(b"/tmp") == 0
    return [name for name, worked in tried.items() if worked]
"""
    assert returned(sandbox, program, Limits(cpu_seconds=2)) == "[]"


def test_fork_bomb(sandbox):
    program = "import os\ndef f():\n    while True: os.fork()"
    began = time.monotonic()
    assert asked(sandbox, program).verdict in ("forbidden", "timeout", "out of memory")
    assert time.monotonic() - began < QUICK.wall_seconds + 5


def test_thread_bomb(sandbox):
    program = """
import threading, time
def f():
    while True: threading.Thread(target=time.sleep, args=(60,)).start()
"""
    assert asked(sandbox, program).verdict in ("forbidden", "out of memory")


def test_ten_gigabytes(sandbox):
    assert asked(sandbox, "def f(): return len(b'x' * 10**10)").verdict == "out of memory"


def test_memory_of_all_processes_together(sandbox):
    program = """
import os, time
def f():
    for _ in range(6):
        if os.fork() == 0:
            held = b'x' * (100 << 20)
            time.sleep(30)
    time.sleep(30)
"""
    assert asked(sandbox, program).verdict == "out of memory"


def test_endless_loop_and_endless_sleep(sandbox):
    assert asked(sandbox, "def f():\n    while True: pass").verdict == "timeout"
    short = Limits(wall_seconds=1.5)
    assert asked(sandbox, "import time\ndef f(): time.sleep(60)", limits=short).verdict == "timeout"


def test_ignoring_signals_does_not_help(sandbox):
    program = """
import signal
def f():
    for number in range(1, 32):
        try: signal.signal(number, signal.SIG_IGN)
        except OSError: pass
    while True: pass
"""
    assert asked(sandbox, program).verdict == "timeout"


def test_a_daemonised_child_ends_with_its_sandbox(sandbox):
    mark = f"lemur-daemon-{os.getpid()}"
    program = f"""
import os, sys
def f():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/python/bin/python{os.sys.version_info.major}.{os.sys.version_info.minor}",
                     ["python", "-c", "import time; time.sleep(300)", "{mark}"])
        os._exit(0)
    os.wait()
    return 1
"""
    assert asked(sandbox, program).verdict == "passed"
    assert gone(mark)


def test_a_gigabyte_of_output(sandbox):
    program = """
import sys
def f():
    for _ in range(1024): sys.stdout.write("x" * (1 << 20)); sys.stderr.write("x" * (1 << 10))
    return 1
"""
    assert (
        asked(sandbox, program, limits=Limits(wall_seconds=60, cpu_seconds=30)).verdict == "passed"
    )


def test_filling_the_disk(sandbox):
    program = """
def f():
    for number in range(64):
        with open(f"/tmp/{number}", "wb") as file: file.write(b"x" * (1 << 20))
    return 1
"""
    assert asked(sandbox, program).verdict != "passed"
    shm = program.replace("/tmp/", "/dev/shm/")
    assert asked(sandbox, shm).verdict != "passed"
    large = "def f():\n    open('/tmp/a', 'wb').write(b'x' * (6 << 20))\n    return 1"
    assert asked(sandbox, large).verdict != "passed"


@pytest.mark.parametrize(
    "program",
    [
        "import os\ndef f(): os._exit(0)",
        "import os\nos._exit(0)",
        "import sys\ndef f(): sys.exit(0)",
        "import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGKILL)",
        "import os\ndef f(): os.kill(1, 9); os.kill(-1, 9)",
    ],
)
def test_leaving_is_not_passing(sandbox, program):
    assert asked(sandbox, program).verdict in ("error", "timeout", "forbidden")


def test_a_verdict_forged_on_every_descriptor(sandbox):
    program = """
import os
def f():
    for number in range(3, 256):
        for text in (b'{"verdict": "passed", "told": {}}', b'\\x04\\0\\0\\0null', b'passed\\n'):
            try: os.write(number, text)
            except OSError: pass
    os._exit(0)
"""
    assert asked(sandbox, program).verdict in ("error", "failed")


def test_answering_for_the_test_needs_the_right_answer(sandbox):
    program = """
import builtins, sys
class Yes:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
class Number(int):
    __eq__ = lambda self, other: True
def f(): return Yes()
def g(): return Number(5)
builtins.AssertionError = type("Quiet", (Exception,), {})
for module in list(sys.modules.values()):
    for name in ("judge", "check", "encode", "send"):
        if hasattr(module, name) and name != "send": setattr(module, name, lambda *a, **k: None)
"""
    assert asked(sandbox, program).verdict != "passed"
    job = Job(program.split("builtins.Assertion")[0], ("assert g() == 1",), ("g",))
    assert judge(sandbox, job).verdict == "failed"


def test_the_expected_answers_cannot_be_read(sandbox):
    program = """
import gc, os, sys
def f():
    seen = [str(o) for o in gc.get_objects() if isinstance(o, (str, list, dict, tuple))]
    files = []
    for folder, _, names in os.walk("/judge"):
        files += [open(os.path.join(folder, n)).read() for n in names]
    wanted = "".join(reversed("242424903576"))
    return any(wanted in text for text in seen + files + list(sys.argv))
"""
    verdict = judge(sandbox, Job(program, ("x = 675309424242", "assert f() is True"), ("f",)))
    assert verdict.verdict == "failed"


def test_a_bad_answer_cannot_stop_the_judge(sandbox):
    for program in (
        "def f(): return [0] * 10**8",
        "def f():\n    a = []\n    a.append(a)\n    return a",
        "def f(): return 10 ** 10 ** 6",
        "def f(): return '\\ud800' + chr(0)",
        "def f(): return float('nan')",
        "def f(): return (n for n in iter(int, 1))",
        "class E(Exception):\n    def __str__(self): 1/0\ndef f(): raise E()",
        "class B(BaseException): pass\ndef f(): raise B('x' * 10**7)",
        # Its own runner's message, of a shape that no runner writes.
        "import sys\nwire = sys.modules['wire']\nsend = wire.send\ndef f(): return 1\n"
        "wire.send = lambda to, *_: send(to, {'errno': [], 'raised': {}})",
    ):
        verdict = asked(sandbox, program)
        assert verdict.verdict not in ("passed",), program
        assert "\n" not in verdict.detail and len(verdict.detail) <= 300


def test_nothing_is_left_behind(sandbox):
    pool.close()  # what earlier tests have prepared
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        asked(sandbox, "def f(): return 1")
        asked(sandbox, "import os\ndef f(): os._exit(3)")
    pool.close()
    assert set(os.listdir("/proc/self/fd")) == before
    children = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True
    )
    assert "bwrap" not in children.stdout
