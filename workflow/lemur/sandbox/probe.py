"""Whether programs can be confined here, found by confining one."""

import dataclasses
import functools
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

# Ubuntu since 24.04: "1" where only programs with an AppArmor profile may open user namespaces.
CLOSED = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
INSTALL = "apt-get install bubblewrap"
_OLDEST = (0, 8)  # the first bubblewrap that limits the size of a tmpfs


@dataclasses.dataclass(frozen=True)
class Sandbox:
    """A way to confine programs that was seen to work."""

    bwrap: str
    version: str
    user_namespace: bool

    @property
    def name(self) -> str:
        """What a score records: tool, version and how rights are given up."""
        how = "user namespace" if self.user_namespace else "root, dropped to another user"
        return f"bubblewrap {self.version} ({how})"


@dataclasses.dataclass(frozen=True)
class Absent:
    """Why nothing can be judged here, and what to do about it, in one line."""

    reason: str


def _version(bwrap: str) -> str | None:
    try:
        shown = subprocess.run([bwrap, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+\.\d+(\.\d+)?)", shown.stdout)
    return found.group(1) if found else None


@functools.cache
def probe() -> Sandbox | Absent:
    """The sandbox to use, proved by a program that passes and one that is kept in, or why none."""
    if platform.system() != "Linux":
        return Absent(f"the sandbox needs Linux, this is {platform.system()}")
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return Absent(f"bubblewrap is not installed: {INSTALL}")
    version = _version(bwrap)
    if version is None:
        return Absent(f"{bwrap} --version does not answer: {INSTALL}")
    if tuple(map(int, version.split(".")[:2])) < _OLDEST:
        return Absent(f"bubblewrap {version} is older than 0.8: {INSTALL} from a newer release")
    # In a user namespace of its own root would stay root outside, so root drops to another user.
    sandbox = Sandbox(bwrap, version, user_namespace=os.geteuid() != 0)
    reason = _proved(sandbox)
    return sandbox if reason is None else Absent(reason + _advice())


def _advice() -> str:
    if CLOSED.is_file() and CLOSED.read_text().strip() == "1":
        return (
            ": this system closes user namespaces (sysctl kernel.apparmor_restrict_"
            "unprivileged_userns=0 opens them, or add an AppArmor profile for bwrap)"
        )
    return ""


def _proved(sandbox: Sandbox) -> str | None:
    """None when a harmless program passes and a curious one is kept in; else one line."""
    from lemur.sandbox.judge import Job, Verdict, describe, judge
    from lemur.sandbox.policy import Limits, command

    try:
        first = judge(sandbox, Job("def f(): return 1", ("assert f() == 1",), ("f",)))
    except OSError as error:
        first = Verdict("error", f"its checker ended: {error}", 0.0)
    if first.verdict != "passed":
        arguments = command(
            sandbox.bwrap, "runner.py", Limits(), user_namespace=sandbox.user_namespace
        )
        shown = subprocess.run([*arguments[:-1], "-c", "0"], capture_output=True, env={})
        told = describe(shown) if shown.returncode else first.detail
        return f"bubblewrap {sandbox.version} cannot confine a program here ({told})"
    curious = """
import os, socket
def f():
    found = [p for p in ("/root", "/home", "/run", "/etc/passwd", "/proc/1") if os.path.exists(p)]
    if os.getuid() == 0: found.append("root")
    try:
        socket.create_connection(("192.0.2.1", 9), timeout=1)
        found.append("network")
    except OSError: pass
    return found
"""
    second = judge(sandbox, Job(curious, ("assert f() == [], f()",), ("f",)))
    if second.verdict != "passed":
        return f"bubblewrap {sandbox.version} does not keep a program in here ({second.detail})"
    return None
