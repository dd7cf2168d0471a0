"""One task: calls go to BFCL's backends in the sandbox; an answer without calls ends a turn."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lemur.agents.environment import Environment, Step, Task, WorldFailed
from lemur.agents.environments.bfcl import protocol
from lemur.agents.sessions.exchange import Exchange, Reply
from lemur.agents.sessions.packages import find_packages, mount_packages
from lemur.data.row import Row
from lemur.sandbox.policy import Limits
from lemur.sandbox.types import Sandbox

ENVIRONMENT = "bfcl"
BUILD = f"environment '{ENVIRONMENT}' is not built: workflow/env-build {ENVIRONMENT}"
LIMITS = Limits(wall_seconds=3600.0, cpu_seconds=120, memory_mb=1024)
SECONDS, START = 20.0, 60.0
FINISHED, TOO_MANY, DIED = "finished", "too many steps", "its calls ended the world"


def packages() -> Path | None:
    """BFCL's packages, where they are built."""
    return find_packages(ENVIRONMENT, "bfcl_eval")


class Backends:
    """``inside/functions.py`` for one task."""

    def __init__(self, sandbox: Sandbox):
        path = packages()
        if path is None:
            raise WorldFailed(BUILD)
        self.exchange = Exchange(sandbox, "functions.py", LIMITS, mount_packages(path))

    def begin(self, entry: Mapping[str, Any]) -> None:
        """Start it. ``WorldFailed`` where it does not begin."""
        self.exchange.begin()
        reply, why = self.exchange.ask(entry, START)
        if reply is None:
            raise WorldFailed(f"BFCL's backends do not begin: {why}")

    def ask(self, request: Mapping[str, Any]) -> Reply:
        """Its reply; {"error": why} where there is none."""
        if not self.exchange.running:
            return {"error": "ended"}
        reply, why = self.exchange.ask(request, SECONDS)
        return {"error": why} if reply is None else reply

    def close(self) -> None:
        """End it."""
        self.exchange.close()


class World(Environment):
    """``make`` makes the backends' process."""

    def __init__(self, make: Callable[[], Backends], steps: int):
        self.make, self.steps = make, steps
        self.backends: Backends | None = None

    def reset(self, task: Task) -> str:
        """Load the task's first state."""
        self.close()
        self.task, self.turn, self.count = task, 0, 0
        self.names = names(task)
        self.backends = self.make()
        self.backends.begin(task.data["entry"])
        return ""

    def step(self, action: str) -> Step:
        """Run the calls of an answer; without any, go on to the user's next question."""
        assert self.backends is not None
        calls = protocol.parse(action, self.names)
        info = {"action": calls, "turn": self.turn}
        if not calls:
            self.turn, self.count = self.turn + 1, 0
            if self.turn >= len(self.task.data["gold"]):
                return Step("", 0.0, True, {**info, "end": FINISHED})
            return Step(protocol.question(self.task, self.turn), 0.0, False, info)
        reply = self.backends.ask({"calls": calls})
        results = reply.get("results")
        if not isinstance(results, list):
            return Step(str(reply.get("error"))[:300], 0.0, True, {**info, "end": DIED})
        self.count += 1
        over = self.count > self.steps
        end = {"end": TOO_MANY} if over else {}
        return Step(
            protocol.said(calls, [str(result) for result in results]), 0.0, over, {**info, **end}
        )

    def close(self) -> None:
        """End the backends."""
        if self.backends is not None:
            self.backends.close()
        self.backends = None


def names(task: Task) -> frozenset[str]:
    """Functions that the task offers at any time."""
    later: list[list[Row]] = list(task.data["later"].values())
    offered = [*task.data["functions"], *(function for some in later for function in some)]
    return frozenset(function["name"] for function in offered)
