"""Whether programs can be confined here, and by what, found by confining some that try to get out.

Two tiers: bubblewrap, and apptainer with the same policy where bubblewrap cannot run.
"""

import functools
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from lemur.sandbox import apptainer, attacks
from lemur.sandbox.judge import Job, Verdict, describe, judge
from lemur.sandbox.policy import Limits, build_command
from lemur.sandbox.types import Absent, Sandbox

# Ubuntu since 24.04: "1" where only programs with an AppArmor profile may open user namespaces.
CLOSED = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
INSTALL = "apt-get install bubblewrap"
# The first bubblewrap that limits the size of a tmpfs; the first apptainer with user namespaces by
# default (and --mount with quoted paths).
_OLDEST = {"bubblewrap": (0, 8), "apptainer": (1, 1)}


def _version(path: str) -> str | None:
    try:
        shown = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"(\d+\.\d+(\.\d+)?)", shown.stdout)
    return found.group(1) if found else None


@functools.cache
def probe() -> Sandbox | Absent:
    """The first tier that is proved by a program that passes and some that are kept in, or why
    there is none."""
    if platform.system() != "Linux":
        return Absent(f"the sandbox needs Linux, this is {platform.system()}")
    first = _tier("bubblewrap", "bwrap")
    if isinstance(first, Sandbox):
        return first
    if shutil.which("apptainer") is None:
        return first
    second = _tier("apptainer", "apptainer")
    return second if isinstance(second, Sandbox) else Absent(f"{first.reason}; {second.reason}")


def _tier(tool: str, program: str) -> Sandbox | Absent:
    path = shutil.which(program)
    if path is None:
        return Absent(f"{tool} is not installed: {INSTALL}")
    version = _version(path)
    if version is None:
        return Absent(f"{path} --version does not answer: {INSTALL}")
    if tuple(map(int, version.split(".")[:2])) < _OLDEST[tool]:
        oldest = ".".join(map(str, _OLDEST[tool]))
        return Absent(f"{tool} {version} is older than {oldest}: {INSTALL} from a newer release")
    # In a user namespace of its own root would stay root outside, so root drops to another user.
    sandbox = Sandbox(path, version, os.geteuid() != 0, tool)
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
    """None when a harmless program passes and curious ones are kept in; else one line."""
    try:
        first = judge(sandbox, Job("def f(): return 1", ("assert f() == 1",), ("f",)))
    except OSError as error:
        first = Verdict("error", f"its checker ended: {error}", 0.0)
    if first.verdict != "passed":
        reason = _complaint(sandbox) or first.detail
        return f"{sandbox.tool} {sandbox.version} cannot confine a program here ({reason})"
    second = judge(sandbox, Job(CURIOUS, ("assert f() == [], f()",), ("f",)))
    reason = "" if second.verdict == "passed" else second.detail or second.verdict
    if not reason and sandbox.tool == "apptainer":
        reason = attacks.find_escape(sandbox)
    if reason:
        return f"{sandbox.tool} {sandbox.version} does not keep a program in here ({reason})"
    return None


def _complaint(sandbox: Sandbox) -> str | None:
    """The last line that the tool writes when it is asked to run nothing, None if it runs it."""
    if sandbox.tool == "apptainer":
        line = apptainer.build_command(
            sandbox.bwrap, "runner.py", {}, user_namespace=sandbox.user_namespace
        )
        environment = apptainer.ENVIRONMENT
    else:
        line = build_command(
            sandbox.bwrap, "runner.py", Limits(), user_namespace=sandbox.user_namespace
        )
        environment = {}
    shown = subprocess.run([*line[:-1], "-c", "0"], capture_output=True, env=environment)
    return describe(shown) if shown.returncode else None


CURIOUS = """
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
