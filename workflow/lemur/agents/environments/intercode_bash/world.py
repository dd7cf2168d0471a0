"""A task's root folder, and what the gold command makes of another one."""

import shlex
from collections.abc import Callable

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.intercode_bash import judge
from lemur.agents.environments.intercode_bash.judge import End
from lemur.agents.intercode import protocol
from lemur.agents.intercode.session import LONGEST, MALFORMED, Session, execute
from lemur.agents.intercode.state import State


def split(command: str, repaired: bool) -> list[str] | None:
    """The program and arguments of a command, None where the original cannot read it: it puts the
    command between double quotes as it stands, so that those of its own end the quotation."""
    if len(command) > LONGEST:
        return None
    if repaired:
        return ["/bin/bash", "-c", command]
    try:
        return shlex.split(f'/bin/bash -c "{command.strip()}"')
    except ValueError:
        return None


class World(Environment):
    """One episode of a Bash task."""

    def __init__(self, system: Callable[[int], State], turns: int, repaired: bool):
        self.system, self.turns, self.repaired = system, turns, repaired
        self.session, self.gold = Session({}), None

    def reset(self, task: Task) -> str:
        self.task, self.taken = task, 0
        self.close()
        self.before = self.system(task.data["system"])
        self.session = Session(self.before)
        return task.data["query"]

    def step(self, action: str) -> Step:
        self.taken += 1
        try:
            command = protocol.parse_bash(action, self.repaired)
        except protocol.Blocked:
            blocked = {"action": "blocked", "code": False, "end": "no tag"}
            return Step("No output", 0, True, blocked)
        output, executed = self.session.act(command, self._argv)
        if self.gold is None:  # it acts on the files of the beginning: once is enough for all turns
            printed, _, files = execute(self.before, self._argv(self.task.data["gold"]), "/")
            self.gold = End(printed, files)
        ends = End(MALFORMED if output is None else output, self.session.files), self.gold
        reward = judge.reward(self.before, *ends)
        info = {"action": command, "code": True, "executed": executed}
        info["differs"] = judge.agrees(self.before, *ends)
        if reward == 1:
            info["end"] = "solved"
        elif self.taken >= self.turns:
            info["end"] = "out of turns"
        return Step(protocol.cut(ends[0].output or ""), reward, "end" in info, info)

    def _argv(self, command: str) -> list[str] | None:
        return split(command, self.repaired)

    def close(self) -> None:
        self.session.close()
        self.session, self.gold = Session({}), None
