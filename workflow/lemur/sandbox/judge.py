"""Judging a program by a test, both confined, with a verdict that the program cannot write."""

import dataclasses
import errno
import json
import os
import re
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from lemur.sandbox import pool as sandbox_pool
from lemur.sandbox.policy import PLAIN, Limits, Root
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Sandbox
from lemur.sandbox.user import list_settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

VERDICTS = ("passed", "failed", "error", "timeout", "out of memory", "forbidden")
REFUSED = {
    errno.EPERM,
    errno.EACCES,
    errno.EROFS,
    errno.EAGAIN,
    errno.ENETUNREACH,
    errno.ENETDOWN,
    errno.EADDRNOTAVAIL,
}
TEST_CPU_SECONDS = 60
# Verdicts of a program that passed a limit together with all that it has started.
PASSED_LIMITS = {
    "timeout": ("timeout", "the limit on wall time"),
    "processor": ("timeout", "the limit on processor time"),
    "out of memory": ("out of memory", "the limit on memory of all processes together"),
    "full": ("error", "the limit on files in /tmp and /dev/shm"),
}
EARLY = "the program ended before its test did"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """``verdict`` is one of VERDICTS; ``detail`` is one line; ``seconds`` is wall time; ``ended``:
    whether the test came to its end, None where the verdict does not tell it apart; ``original``:
    the verdict as the benchmark's own evaluation takes it, where that is another one's to give."""

    verdict: str
    detail: str
    seconds: float
    ended: bool | None = None
    original: str | None = None


@dataclasses.dataclass(frozen=True)
class Job:
    """What is judged.

    ``program`` is the model's code. ``preamble`` and ``test`` (parts run in turn; the first
    AssertionError fails) are pinned data, run where the program cannot reach. ``remote`` names
    the objects of the program that the test uses.
    """

    program: str
    test: tuple[str, ...]
    remote: tuple[str, ...]
    preamble: str = ""


def _told(reply: dict[str, object]) -> tuple[str, str]:
    """Verdict and detail of an exception that the program's runner reported."""
    raised = str(reply.get("raised", "an exception"))
    detail = f"{raised}: {reply.get('text', '')}".strip().rstrip(":")
    if raised == "MemoryError":
        return "out of memory", detail
    refused = reply.get("errno") in REFUSED or "can't start new thread" in detail
    return ("forbidden" if refused else "error"), detail


def _ended(status: int | None) -> tuple[str, str]:
    """Verdict of a program that ended before its test did, from bubblewrap's exit status."""
    killed = (status or 0) - 128
    if killed in (signal.SIGXCPU, signal.SIGKILL):
        return "timeout", "the limit on processor time"
    if killed == signal.SIGSYS:
        return "forbidden", "a refused system call"
    if killed == signal.SIGXFSZ:
        return "forbidden", "the limit on the size of a file"
    if killed > 0:
        return "error", f"ended by signal {killed}"
    return "error", EARLY


def judge(sandbox: Sandbox, job: Job, limits: Limits | None = None) -> Verdict:
    """Judge one program in fresh namespaces. Never raises for what a program does."""
    return judge_between(sandbox, limits or Limits(), job)


@dataclasses.dataclass(frozen=True)
class Sides:
    """The two confined processes of a judgement: what runs the program, and what holds its test,
    with the message that it gets before it forks. ``program``: the limits that bind the program's
    process itself, where they are wider than what its whole tree may use."""

    runner: str = "runner.py"
    root: Root = PLAIN
    holder: sandbox_pool.Holder = sandbox_pool.HOLDER
    message: bytes = b"j"
    program: Limits | None = None


SIDES = Sides()


def judge_between(
    sandbox: Sandbox, limits: Limits, job: "DataclassInstance", sides: Sides = SIDES
) -> Verdict:
    """The verdict of the test's side on a ``job``, whose fields the confined processes read as JSON."""
    prepared = sandbox_pool.prepare(sandbox)
    inside = sides.program or limits
    runner, channel = prepared.runner(inside, sides.runner, sides.root)
    began = time.monotonic()  # the program has not been seen yet
    pipe_read, pipe_write = os.pipe()
    task = os.memfd_create("job")
    try:
        with channel:
            data = {
                **dataclasses.asdict(job),
                "confine_program": list_settings(inside, sandbox.another_user),
                "wall_seconds": limits.wall_seconds + 1,
                "cpu_seconds": TEST_CPU_SECONDS,
            }
            with os.fdopen(os.dup(task), "wb") as file:
                file.write(json.dumps(data).encode("utf-8", "surrogatepass"))
            os.lseek(task, 0, os.SEEK_SET)
            prepared.check(channel.fileno(), pipe_write, task, sides.holder, sides.message)
            os.close(pipe_write)
            pipe_write = -1
            # The channel stays open meanwhile: the runner would end with the test, and with it the
            # folders that are looked at last.
            text, cause = _wait(pipe_read, runner, limits, began)
            verdict, detail = _verdict(text, cause, runner)
    finally:
        prepared.done(runner)
        for number in (pipe_read, task, pipe_write):
            if number >= 0:
                os.close(number)
    return Verdict(verdict, " ".join(detail.split())[:300], time.monotonic() - began)


def _wait(pipe: int, runner: Confined, limits: Limits, began: float) -> tuple[bytes, str | None]:
    """The checker's message, or why it was not waited for."""
    text = b""
    while True:
        left = began + limits.wall_seconds - time.monotonic()
        if left <= 0:
            return b"", "timeout"
        ready, _, _ = select.select([pipe], [], [], min(left, 0.05))
        if ready:
            part = os.read(pipe, 65536)
            if not part:
                return text, runner.overfull(limits)
            text += part
        elif (cause := runner.exceeded(limits)) is not None:
            return b"", cause


def _verdict(text: bytes, cause: str | None, runner: Confined) -> tuple[str, str]:
    if cause is not None:
        return PASSED_LIMITS[cause]
    if not text:
        # The test's own process fell, which only an answer of the program can bring about.
        return "error", "the test ended without a verdict"
    message = json.loads(text)
    if message["verdict"] == "ended":
        return _ended(runner.status(1.0))
    if message["verdict"] == "error":
        return _told(message["told"])
    return message["verdict"], str(message["told"].get("text", ""))


def describe(process: subprocess.CompletedProcess[bytes]) -> str:
    """Last line that a failed command wrote to its error stream."""
    lines = process.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit status {process.returncode}"


def stable(detail: str) -> str:
    """A detail without addresses in memory, which differ between runs."""
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", detail)
