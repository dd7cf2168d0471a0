"""A task's database, asked by the model and by the gold query."""

from collections.abc import Callable
from typing import Protocol

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.intercode_sql import judge, protocol
from lemur.agents.intercode.protocol import LETTERS, cut_rows, parse_sql


class Session(Protocol):
    """A connection to one database; ``version`` is the engine's name and version."""

    version: str

    def query(self, text: str) -> list[tuple] | str | None:
        """Rows, a text for an error, or None where there are no rows."""

    def close(self) -> None:
        """End it."""


class World(Environment):
    """One episode of an SQL task."""

    def __init__(self, connect: Callable[[str], Session], turns: int):
        self.connect, self.turns = connect, turns
        self.session: Session | None = None

    def reset(self, task: Task) -> str:
        self.close()
        self.task, self.taken = task, 0
        self.session = self.connect(task.data["db"])
        return task.data["query"]

    def step(self, action: str) -> Step:
        assert self.session is not None
        self.taken += 1
        query, is_code = parse_sql(action)
        info = {"action": query, "code": is_code, "world": self.session.version}
        reward: float = 0
        observation = protocol.retry()
        if is_code:
            rows = self.session.query(query)
            observation, reward = self._executed(rows, info)
        if reward == 1:
            info["end"] = "solved"
        elif self.taken >= self.turns:
            info["end"] = "out of turns"
        return Step(observation[:LETTERS] if not is_code else observation, reward, "end" in info, info)  # fmt: skip

    def _executed(self, rows: list[tuple] | str | None, info: dict) -> tuple[str, float]:
        assert self.session is not None
        gold = self.session.query(self.task.data["gold"])
        # What the original compares with where the gold query fails.
        wanted = gold if isinstance(gold, list) else []
        info["executed"] = not isinstance(rows, str)
        info["differs"] = judge.agrees(rows, gold, self.task.data["gold"])
        if isinstance(rows, str):
            shown = f"Error executing query: {rows}"[:LETTERS]
        else:
            shown = "None" if rows is None else cut_rows(rows)
        return shown, judge.reward(rows, wanted)

    def close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None
