"""A task's folder, and the flags that are submitted."""

import shlex
from collections.abc import Callable

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.intercode_ctf import judge, protocol, tasks
from lemur.agents.intercode.protocol import cut
from lemur.agents.intercode.session import LONGEST, MALFORMED, Session
from lemur.agents.intercode.state import State


def split(command: str) -> list[str] | None:
    """The program and arguments of a command; None where the original cannot read it."""
    text = command.strip()
    if not text.startswith(("python3 -c", "python -c")):
        return ["/bin/bash", "-c", text]
    try:
        return shlex.split(text) if len(text) < LONGEST else None
    except ValueError:
        return None


class World(Environment):
    """One episode of a CTF task."""

    def __init__(self, root: Callable[[int], State], turns: int):
        self.root, self.turns = root, turns
        self.session = Session({})

    def reset(self, task: Task) -> str:
        self.close()
        self.task, self.taken = task, 0
        number = task.data["task_id"]
        self.session = Session(self.root(number), f"/ctf/{number}")
        return task.data["query"]

    def step(self, action: str) -> Step:
        self.taken += 1
        command = protocol.parse(action)
        info: dict = {"action": command, "code": True, "executed": True}
        reward: float = 0
        if command.lower() == "skip":
            observation, info["end"] = protocol.SKIPPED, "gave up"
        elif command.split(" ")[0] == "submit":
            reward = float(judge.accepted(command, self.task.data["gold"]))
            info["right"] = judge.right(command, tasks.flag(self.task.data))
            observation = command.partition(" ")[2] if reward else protocol.WRONG
        else:
            output, info["executed"] = self.session.act(command, split)
            observation = MALFORMED if output is None else output
        if reward == 1:
            info["end"] = "solved"
        elif self.taken >= self.turns:
            info.setdefault("end", "out of turns")
        return Step(cut(observation), reward, "end" in info, info)

    def close(self) -> None:
        self.session.close()
        self.session = Session({})
