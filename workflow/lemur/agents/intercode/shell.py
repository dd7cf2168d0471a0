"""A shell of an episode's own: one bubblewrap an action, between which only files persist."""

import contextlib
import functools
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lemur.agents.environment import WorldFailed
from lemur.agents.intercode import state
from lemur.agents.intercode.state import Entry, State
from lemur.sandbox import cgroup, policy, seccomp
from lemur.sandbox.memory import measure_resident
from lemur.sandbox.policy import Limits
from lemur.sandbox.probe import probe
from lemur.sandbox.process import Confined
from lemur.sandbox.processor import ProcessorTime
from lemur.sandbox.types import Absent
from lemur.sandbox.user import draw_user

INSIDE = Path(__file__).parent / "inside"
JUDGE, PYTHON = "/run/judge", "/run/judge/python"
# What stands in the root beside the carried files, and is made anew for each action.
SKIPPED = ("usr", "dev", "proc", "run", "etc/alternatives", "etc/ld.so.cache", "nix")
SKIPPED += ("bin", "lib", "lib64")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME": "sandbox",
    "HOME": "/root",
}
# Files that have no time of their own: as if the image had been built then.
BUILT = 1_687_737_600 * 10**9  # 2023-06-26
LIMITS = Limits(wall_seconds=10.0, memory_mb=1024, processes=64, file_mb=32, tmp_mb=96, files=8192)
OUTPUT_BYTES = 8 << 20  # who prints more does not end, it is taken
SPARE_SECONDS = 20.0  # to start, to make the root and to read it again on a busy machine


@dataclass(frozen=True)
class Ran:
    """One action. ``status``: None where its time was over, negative for a signal. ``problem``: why
    the command's own end is not known, or its files are not kept; then ``after`` is what was before.
    """

    status: int | None
    printed: bytes
    after: State
    problem: str = ""


class _Shell(Confined):
    """bubblewrap with a writable root in memory, in which the caller is called root and is none."""

    def __init__(self, bwrap: str, channel: socket.socket, limits: Limits):
        self._first = None
        self._least = None
        self._time, self._used = ProcessorTime(), 0.0
        self.watched = False
        self.process = None
        self.group = cgroup.make_group()
        try:
            self._confine(bwrap, channel, limits)
        except BaseException:
            self._abandon()
            raise

    def _confine(self, bwrap: str, channel: socket.socket, limits: Limits) -> None:
        with contextlib.ExitStack() as opened:
            info_read, info_write = os.pipe()
            info = opened.enter_context(os.fdopen(info_read))
            with contextlib.ExitStack() as theirs:
                theirs.callback(os.close, info_write)
                filters, filtering = seccomp.open_filter(theirs)
                passed = [info_write, channel.fileno(), *filters]
                # Where root gives up rights, the first bubblewrap of two says its child.
                inner = [] if os.geteuid() == 0 else ["--info-fd", str(info_write)]
                inner += filtering
                inner += ["--setenv", "CHANNEL", str(channel.fileno())]
                outer = _outer(bwrap, info_write) if os.geteuid() == 0 else []
                sources = _Sources.moved() if outer else _Sources.here()
                line = [*outer, *_command(bwrap, limits, sources, inner)]
                self._open(line, passed, subprocess.DEVNULL, {})
            text = info.read()  # ends when bubblewrap has written it, or has failed
        with contextlib.suppress(ValueError):
            self._first = json.loads(text)["child-pid"]

    def ended(self) -> bool:
        """Whether it is no more."""
        return self.process.poll() is not None

    def holds(self) -> int:
        """Bytes of memory of all that is inside."""
        processes = self.list_processes()
        return measure_resident(processes) + self.measure_kernel_memory(processes)


@dataclass(frozen=True)
class _Sources:
    """Where the first bubblewrap finds what stands under ``/run/judge`` of the last."""

    interpreter: list[str]
    script: str
    wire: str

    @classmethod
    def here(cls) -> "_Sources":
        arguments = [
            PYTHON + each.removeprefix(policy.PYTHON)
            if each.startswith(policy.PYTHON + "/")
            else each
            for each in policy.mount_interpreter()
        ]
        return cls(arguments, str(INSIDE / "shell.py"), str(policy.INSIDE / "wire.py"))

    @classmethod
    def moved(cls) -> "_Sources":
        bound = ["--ro-bind", PYTHON, PYTHON]
        return cls(bound, f"{JUDGE}/shell.py", f"{JUDGE}/wire.py")

    def arguments(self) -> list[str]:
        bound = ["--ro-bind", self.script, f"{JUDGE}/shell.py"]
        return [*self.interpreter, *bound, "--ro-bind", self.wire, f"{JUDGE}/wire.py"]


def _outer(bwrap: str, info: int) -> list[str]:
    """For root alone: what another user may not reach (an interpreter in root's home) is mounted
    first, then rights are given up, and that user makes the sandbox: in a namespace that root makes
    its root would be root outside."""
    line = [bwrap, "--die-with-parent", "--new-session", "--info-fd", str(info)]
    line += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    line += ["--perms", "0755", "--tmpfs", "/", "--ro-bind", "/usr", "/usr"]
    # The second one mounts its first file system at /tmp.
    for folder in ("/tmp", "/etc", "/run", JUDGE, PYTHON, f"{PYTHON}/bin", f"{PYTHON}/lib"):  # noqa: S108
        line += ["--perms", "0755", "--dir", folder]
    line += [*system_folders(), *_Sources.here().arguments(), "--dev", "/dev"]
    # The second one may mount its own /proc only where a whole one is to be seen.
    line += ["--bind", "/proc", "/proc"]
    who = str(draw_user())
    setpriv = shutil.which("setpriv") or "/usr/bin/setpriv"
    return [*line, "--", setpriv, "--reuid", who, "--regid", who, "--clear-groups"]


def system_folders() -> list[str]:
    """Arguments that mount what programs of /usr need beside it."""
    line = []
    for path in ("/etc/alternatives", "/etc/ld.so.cache", "/nix/store"):
        line += ["--ro-bind-try", path, path]
    for folder in ("/bin", "/lib", "/lib64"):
        path = Path(folder)
        if path.is_symlink():
            line += ["--symlink", str(path.readlink()), folder]
        elif path.is_dir():
            line += ["--ro-bind", folder, folder]
    return line


def _command(bwrap: str, limits: Limits, sources: _Sources, more: list[str]) -> list[str]:
    size = str(limits.tmp_mb << 20)
    line = [bwrap, "--die-with-parent", "--new-session", "--unshare-all", "--uid", "0"]
    line += ["--gid", "0", "--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"]
    line += ["--perms", "0755", "--size", size, "--tmpfs", "/", "--ro-bind", "/usr", "/usr"]
    line += ["--perms", "0755", "--dir", "/etc", *system_folders(), "--dev", "/dev"]
    line += ["--perms", "1777", "--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    line += ["--proc", "/proc", "--tmpfs", "/run", *sources.arguments(), "--remount-ro", "/run"]
    line += ["--setenv", "LD_LIBRARY_PATH", f"{PYTHON}/lib", *more]
    python = f"{PYTHON}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return [*line, "--", python, *policy.ISOLATED, "-S", f"{JUDGE}/shell.py"]


@dataclass(frozen=True)
class Started:
    """A shell that waits for its one action, and the channel to it."""

    process: "_Shell"
    channel: socket.socket

    def close(self) -> None:
        """End it, and wait until it is gone."""
        self.channel.close()
        self.process.end()


def start(limits: Limits = LIMITS) -> Started:
    """Start a shell. Raises WorldFailed where no sandbox can be made."""
    sandbox = probe()
    if isinstance(sandbox, Absent):
        raise WorldFailed(f"the shell: {sandbox.reason}")
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            return Started(_Shell(sandbox.bwrap, theirs, limits), ours)
    except BaseException:
        ours.close()
        raise


def run(
    before: State, command: Sequence[str], folder: str = "/", limits: Limits = LIMITS,
    started: Started | None = None, take_down: Callable[[Started], object] | None = None,
) -> Ran:  # fmt: skip
    """Run ``command`` in ``folder`` of a root that holds ``before``, in a shell of its own: the one that
    was ``started`` with the same limits, or a new one. ``take_down`` ends a sandbox in which nothing runs
    any more, by default before this returns. Raises WorldFailed where no sandbox can be made."""
    started = started or start(limits)
    process, ours = started.process, started.channel
    with contextlib.ExitStack() as unfinished:
        unfinished.callback(started.close)
        ours.settimeout(SPARE_SECONDS)
        try:
            _feed(ours, before, command, folder, limits)
        except OSError:
            raise WorldFailed(f"the shell did not start: {_complaint(process)}") from None
        made, cause = _told(ours, process, limits)
        if cause is None and take_down is not None:
            unfinished.pop_all()
            take_down(started)
    if cause is None:
        try:
            return _read(made, before)
        except ValueError:
            cause = "its sandbox was ended with it"
    return Ran(None if cause == "time" else -9, b"", before, cause)


def _feed(
    channel: socket.socket, before: State, command: Sequence[str], folder: str, limits: Limits
) -> None:
    job = {
        "entries": state.header(before), "command": list(command), "folder": folder,
        "environment": ENVIRONMENT, "skipped": SKIPPED, "wall_seconds": limits.wall_seconds,
        "cpu_seconds": int(limits.wall_seconds) + 1, "file_bytes": limits.file_mb << 20,
        "processes": limits.processes, "open_files": 256, "output_bytes": OUTPUT_BYTES,
        "address_bytes": 1 << 40, "most_files": limits.files, "most_bytes": limits.tmp_mb << 20,
    }  # fmt: skip
    text = json.dumps(job).encode()
    parts = [len(text).to_bytes(4, "little"), text]
    parts += [entry.data for entry in before.values() if entry.kind == "file"]
    channel.sendall(b"".join(parts))


def _told(channel: socket.socket, process: _Shell, limits: Limits) -> tuple[bytes, str | None]:
    """All that comes back, or why it was not waited for."""
    until = time.monotonic() + limits.wall_seconds + SPARE_SECONDS
    most = (limits.tmp_mb << 20) + OUTPUT_BYTES + (64 << 20)
    made = bytearray()
    while True:
        if time.monotonic() > until:
            return b"", "time"
        if len(made) > most:
            return b"", "its sandbox was ended with it"
        if select.select([channel], [], [], 0.05)[0]:
            try:
                part = channel.recv(1 << 20)
            except ConnectionError:
                part = b""
            if not part:
                return bytes(made), None
            made += part
        elif process.holds() > limits.memory_mb << 20:
            return b"", "out of memory"


def _read(made: bytes, before: State) -> Ran:
    size = int.from_bytes(made[:4], "little")
    reply = json.loads(made[4 : 4 + size].decode("utf-8", "surrogatepass"))
    if not isinstance(reply, dict):
        raise ValueError("no answer")
    status, printed, full = reply.get("status"), reply.get("printed"), reply.get("full")
    if not isinstance(status, int | None) or not isinstance(printed, int):
        raise ValueError("no answer")
    rest = made[4 + size :]
    if full:
        return Ran(status, rest[:printed], before, "more files than are kept")
    return Ran(status, rest[:printed], state.read(reply["entries"], rest[printed:]))


def _complaint(process: Confined) -> str:
    process.kill()
    stream = process.process.stderr
    shown = stream.read() if stream is not None else b""
    return " ".join(shown.decode("utf-8", "replace").split())[-200:]


@functools.cache
def missing() -> str | None:
    """Why there is no shell on this machine, in a few words; None where there is one."""
    sandbox = probe()
    if isinstance(sandbox, Absent):
        return sandbox.reason
    if sandbox.tool != "bubblewrap":
        return f"the shell needs bubblewrap, {sandbox.tool} confines here"
    if not Path("/usr/bin/bash").exists():
        return "no /usr/bin/bash"
    try:
        ran = run({}, ["/usr/bin/bash", "-c", "echo $((6 * 7))"])
    except (WorldFailed, OSError) as error:
        return str(error)
    return None if ran.printed == b"42\n" else f"the shell does not answer: {ran.problem}"


def base() -> dict[str, Entry]:
    """The folders and files of a root that holds nothing else: Ubuntu's usual ones."""
    made = {}
    for name in ("boot", "etc", "home", "media", "mnt", "opt", "root", "srv", "sys", "tmp", "var"):
        made[name] = Entry("folder", 0o1777 if name == "tmp" else 0o755, BUILT)
    for name in ("var/log", "var/tmp"):
        made[name] = Entry("folder", 0o1777 if name == "var/tmp" else 0o755, BUILT)
    made["sbin"] = Entry("link", 0o777, BUILT, target="usr/sbin")
    files = {
        "passwd": "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
        "group": "root:x:0:\nnogroup:x:65534:\n",
        "hostname": "sandbox\n",
        "hosts": "127.0.0.1\tlocalhost\n127.0.1.1\tsandbox\n",
        "networks": "# symbolic names for networks, see networks(5) for more information\nlink-local 169.254.0.0\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    for name, text in files.items():
        made[f"etc/{name}"] = Entry("file", 0o644, BUILT, text.encode())
    return made
