"""A Python session in the sandbox: IPython, whose names live from cell to cell.

As MINT's (https://github.com/xingyaoww/mint-bench): a cell is interrupted after 30 seconds. A cell
that does not let itself be interrupted, or uses more memory than it may, ends the session; the next
cell begins a new one, and what was said of that is in the observation.
"""

import dataclasses
import time
from collections.abc import Mapping

from lemur.agents.environment import WorldFailed
from lemur.agents.sessions.exchange import Exchange
from lemur.agents.sessions.packages import find_packages, mount_packages
from lemur.errors import UserError
from lemur.sandbox.policy import Limits
from lemur.sandbox.types import Sandbox

ENVIRONMENT = "session"
GRACE = 3.0  # seconds that a cell has to be interrupted before its session is killed
START = 60.0  # seconds in which a session has to begin
LIMITS = Limits(
    wall_seconds=3600.0, cpu_seconds=1800, memory_mb=2048, processes=64, tmp_mb=64, open_files=256
)
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


class PythonSession:
    """A session is begun with its first cell; ``close`` ends all that it has started.

    Raises:
        UserError: the session's libraries are not built.
    """

    def __init__(self, sandbox: Sandbox, seconds: int = 30, tools: Tools = Tools()):
        self.seconds, self.tools = seconds, tools
        packages = find_packages(ENVIRONMENT, "IPython")
        if packages is None:
            raise UserError(
                f"environment '{ENVIRONMENT}' is not built: workflow/env-build {ENVIRONMENT}"
            )
        self.exchange = Exchange(sandbox, "session.py", LIMITS, mount_packages(packages))

    def run(self, code: str) -> Cell:
        """Run a cell. Never raises for what it does; ``WorldFailed`` where no session begins."""
        if not self.exchange.running:
            self._begin()
        began = time.monotonic()
        reply, why = self.exchange.ask({"cell": code}, self.seconds + GRACE)
        seconds = time.monotonic() - began
        if reply is None:
            said = {"timeout": KILLED.format(seconds), "out of memory": TOO_MUCH}.get(why, ENDED)
            return Cell(said, seconds, ended=True)
        output, searched = reply.get("output"), reply.get("searched")
        if not isinstance(output, str) or not isinstance(searched, list):
            self.close()  # it was not the session's own script that answered
            return Cell(ENDED, seconds, ended=True)
        return Cell(output, seconds, searched=tuple(map(str, searched[:100])))

    def close(self) -> None:
        """End the session and wait for nothing."""
        self.exchange.close()

    def _begin(self) -> None:
        self.exchange.begin()
        tools = dataclasses.asdict(self.tools) | {"answers": dict(self.tools.answers)}
        reply, why = self.exchange.ask({"seconds": self.seconds, **tools}, START)
        if reply is None:
            raise WorldFailed(f"the Python session does not begin: {why}")
