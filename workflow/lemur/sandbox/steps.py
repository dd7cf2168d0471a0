"""Judging a program by commands that compile and run it: passed if every one ends with status 0."""

import contextlib
import dataclasses
import json
import secrets
import select
import signal
import socket
import threading
import time

from lemur.sandbox import pool
from lemur.sandbox.judge import PASSED_LIMITS, Verdict, _ended
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Sandbox
from lemur.sandbox.user import list_settings

# Compilers of a few languages need it on a busy machine.
COMPILE_SECONDS = 60
# Java, Go and Node reserve address space by the gigabyte and use little of it: what they use is
# bounded by the watch over the whole tree alone.
_ADDRESS_MB = 1 << 20


def secret_word() -> tuple[str, str]:
    """A new secret's halves, in hexadecimal digits, for ``Steps.word``."""
    return secrets.token_hex(16), secrets.token_hex(16)


@dataclasses.dataclass(frozen=True)
class Steps:
    """``files`` (name -> text) are written into an empty folder, then ``commands`` run there in
    turn. All but the last compile. ``root`` is what they need beside the shared libraries.

    ``word``: two halves of a secret, which the test prints joined, on a line of their own, as the
    last that it does. The files hold the halves, so that the last command, which runs the judged
    program, does not find them: it reads the file ``once`` from a pipe, files named in ``gone`` are
    removed before it starts, and a binary (``./...``) has lost its name by then.
    """

    files: tuple[tuple[str, str], ...]
    commands: tuple[tuple[str, ...], ...]
    root: Root
    word: tuple[str, str] | None = None
    once: str = ""
    gone: tuple[str, ...] = ()

    def run(self, sandbox: Sandbox, limits: Limits) -> Verdict:
        """Verdict of the program. Never raises for what it does.

        The exit status decides, as in MultiPL-E's own evaluation: a program that leaves with 0
        before its tests have run passes there and here. ``ended`` of the verdict says whether the
        test came to its end; None without a word.

        The word stops every program that leaves early, also by handlers that change the status or
        swallow the failure of a test, and one that prints all files, arguments, variables and open
        descriptors that it has. It does not stop one written against this judge: program and test
        share a process, so that it can search its own memory for the halves (Java's class file and
        what Bash and R have not yet read of their script can be searched too), or redefine what the
        test calls and compares with.
        """
        wide = dataclasses.replace(
            limits,
            processes=max(limits.processes, 256),
            file_mb=max(limits.file_mb, 256),
            tmp_mb=max(limits.tmp_mb, 512),
            open_files=max(limits.open_files, 512),
        )
        last = len(self.commands) - 1
        steps = [
            {
                "command": command,
                "cpu_seconds": limits.cpu_seconds if number == last else COMPILE_SECONDS,
                "wall_seconds": limits.wall_seconds if number == last else 3 * COMPILE_SECONDS,
                "once": self.once if number == last else "",
                "gone": self.gone if number == last else (),
                "word": "".join(self.word or ()) if number == last else "",
            }
            for number, command in enumerate(self.commands)
        ]
        confine = list_settings(wide, sandbox.another_user)
        confine |= {"memory_mb": _ADDRESS_MB, "cpu_seconds": 600}
        data = {"files": dict(self.files), "steps": steps, "confine": confine}
        began = time.monotonic()
        total = sum(step["wall_seconds"] for step in steps) + 5
        reply, cause = self._confined(sandbox, wide, json.dumps(data).encode(), began + total)
        verdict, detail = self._verdict(reply, cause)
        for half in self.word or ():  # a compiler quotes lines: details are the same in every run
            detail = detail.replace(half, "")
        ended = None
        if self.word is not None:
            ended = bool(reply) and json.loads(reply)["ended"]
        detail = " ".join(detail.split())[-300:]
        return Verdict(verdict, detail, time.monotonic() - began, ended)

    def _confined(
        self, sandbox: Sandbox, limits: Limits, data: bytes, until: float
    ) -> tuple[bytes, str | None]:
        prepared = pool.prepare(sandbox)
        process, channel = prepared.runner(limits, "steps.py", self.root)
        with channel:
            try:
                _feed(channel, data)
                return _replied(channel, process, limits, len(self.commands), until)
            finally:
                prepared.done(process)

    def _verdict(self, reply: bytes, cause: str | None) -> tuple[str, str]:
        if cause is not None:
            return PASSED_LIMITS[cause]
        if not reply:
            return "error", "its judge was ended with it"
        message = json.loads(reply)
        status, tail = message["status"], message["tail"]
        if status == 0:
            return "passed", ""
        if message["step"] < len(self.commands) - 1:
            return "error", f"does not compile: {tail[:280]}"
        if status is None:
            return "timeout", "the limit on wall time"
        if message["over"]:
            return "timeout", "the limit on processor time"
        if status < 0 and -status != signal.SIGABRT:  # an assertion of C aborts
            return _ended(128 - status)
        return "failed", tail or f"exit status {status}"


def _feed(channel: socket.socket, data: bytes) -> None:
    def write() -> None:
        with contextlib.suppress(OSError):  # it ended, or the judgement is over
            channel.sendall(len(data).to_bytes(8, "big") + data)

    threading.Thread(target=write, daemon=True).start()


def _replied(
    channel: socket.socket, process: Confined, limits: Limits, commands: int, until: float
) -> tuple[bytes, str | None]:
    """What ``inside/steps.py`` wrote, or why it does not count. It writes a line end when a command
    begins: the last one has ``limits``, a compiler's processes what fits into its wall time. After a
    zero byte it waits, so that what lies in its folders is seen though the program has ended.
    """
    text = b""
    compiling = dataclasses.replace(limits, cpu_seconds=3 * COMPILE_SECONDS)
    while True:
        left = until - time.monotonic()
        if left <= 0:
            return b"", "timeout"
        if select.select([channel], [], [], min(left, 0.05))[0]:
            try:
                part = channel.recv(65536)
            except ConnectionError:  # it ended before it had read its job
                part = b""
            if not part:
                return b"", None
            if part.endswith(b"\0"):
                return (text + part).strip(b"\n\0"), process.overfull(limits)
            if part.startswith(b"\n"):
                process.begin_count()
            text += part
        else:
            begun = len(text) - len(text.lstrip(b"\n"))
            cause = process.exceeded(limits if begun >= commands else compiling)
            if cause is not None:
                return b"", cause
