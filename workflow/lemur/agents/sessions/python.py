"""A Python session in the sandbox: IPython, whose names live from cell to cell.

As MINT's (https://github.com/xingyaoww/mint-bench): a cell is interrupted after 30 seconds. A cell
that does not let itself be interrupted, or uses more memory than it may, ends the session; the next
cell begins a new one, and what was said of that is in the observation.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any

from lemur.agents.environment import WorldFailed
from lemur.agents.sessions.exchange import Exchange, Reply
from lemur.agents.sessions.packages import find_packages, mount_packages
from lemur.core.errors import UserError
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
TOO_MANY = "The cell left more files than it may and was killed: all variables are lost."
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
    whether there is one. ``commands`` of a game by the names of their functions: parameters, and the
    command as a format of them."""

    search: bool = False
    answers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    otherwise: str = ""
    commands: Mapping[str, tuple[tuple[str, ...], str]] = dataclasses.field(default_factory=dict)


# What a game says to a command, and whether it is over.
Command = Callable[[str], tuple[str, bool]]


class PythonSession:
    """A session is begun with its first cell; ``close`` ends all that it has started. ``command``
    asks the game, outside of the sandbox, for what a cell commands.

    Raises:
        UserError: the session's libraries are not built.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        seconds: int = 30,
        tools: Tools = Tools(),
        command: Command | None = None,
    ):
        self.seconds, self.tools, self.command = seconds, tools, command
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
        serve = self._serve if self.command is not None else None
        reply, why = self.exchange.ask({"cell": code}, self.seconds + GRACE, serve)
        seconds = time.monotonic() - began
        if reply is None:
            known = {"timeout": KILLED.format(seconds), "out of memory": TOO_MUCH, "full": TOO_MANY}
            return Cell(known.get(why, ENDED), seconds, ended=True)
        output, searched = reply.get("output"), reply.get("searched")
        if not isinstance(output, str) or not isinstance(searched, list):
            self.close()  # it was not the session's own script that answered
            return Cell(ENDED, seconds, ended=True)
        return Cell(output, seconds, searched=tuple(map(str, searched[:100])))

    def close(self) -> None:
        """End the session and wait for nothing."""
        self.exchange.close()

    def _serve(self, asked: Mapping[str, Any]) -> Reply | None:
        """The answer to a command of the cell. A message without one is what the cell printed."""
        if not isinstance(asked.get("command"), str):
            return None
        assert self.command is not None
        said, over = self.command(asked["command"])
        return {"said": said, "over": over}

    def _begin(self) -> None:
        self.exchange.begin()
        tools = dataclasses.asdict(self.tools) | {"answers": dict(self.tools.answers)}
        reply, why = self.exchange.ask({"seconds": self.seconds, **tools}, START)
        if reply is None:
            raise WorldFailed(f"the Python session does not begin: {why}")
