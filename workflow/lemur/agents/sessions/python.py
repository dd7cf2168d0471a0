"""A Python session in the sandbox: IPython, whose names live from cell to cell.

As MINT's (https://github.com/xingyaoww/mint-bench): a cell is interrupted after 30 seconds. A cell
that does not let itself be interrupted, or uses more memory than it may, ends the session; the next
cell begins a new one, and what was said of that is in the observation.
"""

import contextlib
import dataclasses
import functools
import json
import select
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from lemur.agents.environment import WorldFailed
from lemur.errors import UserError
from lemur.provenance import ROOT
from lemur.sandbox import ready
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Sandbox
from lemur.sandbox.user import list_settings

ENVIRONMENT = "session"
GRACE = 3.0  # seconds that a cell has to be interrupted before its session is killed
START = 60.0  # seconds in which a session has to begin
REPLY = 4 << 20  # bytes of an answer at most
LIMITS = Limits(
    wall_seconds=3600.0, cpu_seconds=1800, memory_mb=2048, processes=64, tmp_mb=64, open_files=256
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
KILLED = "The cell did not end and was killed after {:.0f} seconds: all variables are lost."
TOO_MUCH = "The cell used more memory than it may and was killed: all variables are lost."
ENDED = "The cell ended the session: all variables are lost."


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a cell printed, in how many seconds, whether it ended the session, and for what the
    search tool was asked."""

    output: str
    seconds: float
    ended: bool = False
    searched: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Tools:
    """The search tool's recorded ``answers`` by query, and what it says ``otherwise``; ``search``:
    whether there is one."""

    search: bool = False
    answers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    otherwise: str = ""


@functools.cache
def packages() -> Path:
    """The libraries of a session. ``UserError`` where they are not built for this interpreter."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = ROOT / ".envs" / ENVIRONMENT / "lib" / name / "site-packages"
    if not (path / "IPython").is_dir():
        raise UserError(
            f"environment '{ENVIRONMENT}' is not built: workflow/env-build {ENVIRONMENT}"
        )
    return path


@functools.cache
def root() -> Root:
    """What the sandbox holds beside Python: the session's libraries, read-only."""
    return Root(
        paths=((str(packages()), "/site"),),
        environment=tuple((name, "1") for name in THREADS),
    )


class PythonSession:
    """A session is begun with its first cell; ``close`` ends all that it has started."""

    def __init__(self, sandbox: Sandbox, seconds: int = 30, tools: Tools = Tools()):
        self.sandbox, self.seconds, self.tools = sandbox, seconds, tools
        self.prepared = ready.prepare(sandbox)
        self.confined: Confined | None = None
        self.channel: socket.socket | None = None

    def run(self, code: str) -> Cell:
        """Run a cell. Never raises for what it does; ``WorldFailed`` where no session begins."""
        if self.confined is None:
            self._begin()
        began = time.monotonic()
        reply, why = self._exchange({"cell": code}, self.seconds + GRACE)
        seconds = time.monotonic() - began
        if reply is None:
            self.close()
            said = {"timeout": KILLED.format(seconds), "out of memory": TOO_MUCH}.get(why, ENDED)
            return Cell(said, seconds, ended=True)
        output, searched = reply.get("output"), reply.get("searched")
        if not isinstance(output, str) or not isinstance(searched, list):
            self.close()  # it was not the session's own script that answered
            return Cell(ENDED, seconds, ended=True)
        return Cell(output, seconds, searched=tuple(map(str, searched[:100])))

    def close(self) -> None:
        """End the session and wait for nothing."""
        if self.confined is not None and self.channel is not None:
            self.channel.close()
            self.prepared.done(self.confined)
        self.confined = self.channel = None

    def _begin(self) -> None:
        self.confined, self.channel = self.prepared.runner(LIMITS, "session.py", root())
        tools = dataclasses.asdict(self.tools) | {"answers": dict(self.tools.answers)}
        with contextlib.suppress(OSError):  # it is gone: the exchange says so
            self._send(list_settings(LIMITS, self.sandbox.another_user))
        reply, why = self._exchange({"seconds": self.seconds, **tools}, START)
        if reply is None:
            self.close()
            raise WorldFailed(f"the Python session does not begin: {why}")

    def _send(self, value: object) -> None:
        assert self.channel is not None
        data = json.dumps(value).encode("utf-8", "surrogatepass")
        self.channel.settimeout(START)
        self.channel.sendall(len(data).to_bytes(4, "little") + data)

    def _exchange(self, value: object, seconds: float) -> tuple[dict | None, str]:
        """The answer, or None and why there is none: timeout, out of memory, full or ended."""
        assert self.channel is not None and self.confined is not None
        until = time.monotonic() + seconds
        data, wanted = b"", 4
        try:
            self._send(value)
            while len(data) < wanted:
                left = until - time.monotonic()
                if left <= 0:
                    return None, "timeout"
                if not select.select([self.channel], [], [], min(left, 0.1))[0]:
                    if (cause := self.confined.exceeded(LIMITS)) is not None:
                        return None, cause
                    continue
                part = self.channel.recv(1 << 16)
                if not part:
                    return None, "ended"
                data += part
                if len(data) >= 4:
                    wanted = 4 + int.from_bytes(data[:4], "little")
                    if wanted > REPLY:
                        return None, "ended"
            reply = json.loads(data[4:wanted].decode("utf-8", "surrogatepass"))
        except (OSError, ValueError, RecursionError):
            return None, "ended"
        return (reply, "") if isinstance(reply, dict) else (None, "ended")
