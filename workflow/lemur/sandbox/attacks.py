"""What apptainer is tried with before it is believed: its settings belong to the system's
administrator, so that the same arguments may confine less elsewhere."""

import json
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lemur.sandbox.judge import Job, judge
from lemur.sandbox.memory import list_tree
from lemur.sandbox.policy import Limits
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Sandbox
from lemur.sandbox.user import list_settings

SMALL = Limits(cpu_seconds=2, wall_seconds=10, memory_mb=256, tmp_mb=16)

CLOSED = """
import ctypes, os, socket
def f():
    found = []
    for folder, names, _ in os.walk("/"):
        if folder.count("/") > 3: names.clear()
        if folder.startswith(("/tmp", "/dev/shm")): continue
        try: open(os.path.join(folder, "w"), "w").close()
        except OSError: continue
        # An ordinary user can write into /dev, which lies on the private file system of /tmp.
        if os.stat(folder).st_dev != os.stat("/tmp").st_dev: found.append("writes " + folder)
    found += ["/tmp holds " + name for name in os.listdir("/tmp") + os.listdir("/dev/shm")]
    if any(os.listdir(p) for p in ("/proc", "/sys", "/var", "/mnt", "/srv", "/opt")
           if os.path.isdir(p)): found.append("files of the host")
    libc = ctypes.CDLL(None)
    tried = {"unshare": (0x10000000,), "mount": (b"none", b"/tmp", b"tmpfs", 0, None),
             "chroot": (b"/tmp",), "ptrace": (16, 1, 0, 0), "setuid": (0,)}
    found += [name for name, given in tried.items() if getattr(libc, name)(*given) == 0]
    if os.getgroups() and 0 in os.getgroups(): found.append("the group root")
    if {name for name in os.environ if "APPTAINER" in name}: found.append("environment")
    with open("/tmp/here", "w") as file: file.write("x")
    name = b"\\0" + HOST.encode()
    try: socket.socket(socket.AF_UNIX).connect(name); found.append("a socket of the host")
    except OSError: pass
    return found
"""
FILLS = """
def f():
    for number in range(64):
        with open(f"FOLDER/{number}", "wb") as file: file.write(b"x" * (1 << 20))
    return 1
"""
FORKS = """
import os, time
def f():
    for _ in range(2 * PROCESSES): os.fork() or time.sleep(60)
    return 1
"""
STAYS = """
import os, signal, time
def f():
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            try: signal.signal(number, signal.SIG_IGN)
            except OSError: pass
        if os.fork() == 0: time.sleep(600)
        time.sleep(600)
    time.sleep(0.2)  # until both are there
    return 1
"""


def find_escape(sandbox: Sandbox) -> str:
    """Empty when nothing gets out, else what did."""
    with socket.socket(socket.AF_UNIX) as planted:
        host = f"lemur-probe-{os.getpid()}"
        planted.bind(f"\0{host}")
        planted.listen()
        program = f"HOST = {host!r}\n{CLOSED}"
        for _ in range(2):  # the second finds nothing of the first
            test = ("found = f()", "assert found == [], found")
            found = judge(sandbox, Job(program, test, ("f",)), SMALL)
            if found.verdict != "passed":
                return found.detail or found.verdict
    for folder in ("/tmp", "/dev/shm"):  # noqa: S108 - inside
        if _passes(sandbox, FILLS.replace("FOLDER", folder)):
            return f"64 MB in {folder} where {SMALL.tmp_mb} are allowed"
    if _passes(sandbox, FORKS.replace("PROCESSES", str(SMALL.processes))):
        return f"{2 * SMALL.processes} processes where {SMALL.processes} are allowed"
    if _passes(sandbox, "def f(): return len(b'x' * (1 << 29)) and 1"):
        return f"512 MB of memory where {SMALL.memory_mb} are allowed"
    return _ends(sandbox)


def _passes(sandbox: Sandbox, program: str) -> bool:
    return judge(sandbox, Job(program, ("assert f() == 1",), ("f",)), SMALL).verdict == "passed"


def _ends(sandbox: Sandbox) -> str:
    """Whether everything inside ends when it is told to, and with the thread that began it."""
    if not _all_gone(sandbox, lambda confined, _: confined.end()):
        return "a process outlives its end"
    if not _all_gone(sandbox, lambda _, began: began.set()):
        return "a process outlives the one who began it"
    return ""


def _all_gone(
    sandbox: Sandbox, ending: Callable[[Confined, threading.Event], object], seconds: float = 5.0
) -> bool:
    """Whether ``ending`` ends a program whose children try to stay."""
    ours, theirs = socket.socketpair()
    made: queue.SimpleQueue[Confined | None] = queue.SimpleQueue()
    over = threading.Event()

    def begin() -> None:
        confined = None
        try:
            confined = Confined(
                sandbox, "runner.py", SMALL, files={"LEMUR_CHANNEL": theirs.fileno()}
            )
        finally:
            made.put(confined)
        over.wait()

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    confined = made.get()
    if confined is None:
        return False
    with ours, theirs, confined:
        try:
            theirs.close()
            ours.settimeout(seconds)
            for message in (list_settings(SMALL, sandbox.another_user), ["exec", STAYS + "f()"]):
                data = json.dumps(message).encode()
                ours.sendall(len(data).to_bytes(4, "little") + data)
            ours.recv(4)  # the program has run
            inside = list_tree([confined.process.pid])
            ending(confined, over)
            until = time.monotonic() + seconds
            while left := [pid for pid in inside if _runs(pid)]:
                if time.monotonic() > until:
                    return False
                time.sleep(0.01)
            return len(inside) > 4 and not left
        except OSError:
            return False
        finally:
            over.set()
            thread.join()


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
