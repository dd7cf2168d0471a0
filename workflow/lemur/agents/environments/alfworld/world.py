"""One game: commands go to its process, thoughts are answered without it."""

from collections.abc import Sequence
from dataclasses import asdict

from lemur.agents.environment import Environment, Step, Task
from lemur.agents.environments.alfworld import process, protocol

SOLVED, OUT_OF_TURNS, NOT_WON = "solved", "out of turns", "over without being won"


class World(Environment):
    """``line`` starts a game's process; ``turns`` bounds answers, ``commands`` what the game takes."""

    def __init__(self, line: Sequence[str] | None, turns: int, commands: int):
        self.line, self.turns, self.commands = line, turns, commands
        self.game: process.Game | None = None

    def reset(self, task: Task) -> str:
        """Start the game's process; the room and the task."""
        self.close()
        self.left = self.turns
        self.game = process.begin(self.line, task.data["game"], self.commands)
        return protocol.begins(str(self.game.first.get("observation", "")))

    def step(self, action: str) -> Step:
        """Send a command, if the answer holds one."""
        assert self.game is not None
        parsed = protocol.parse(action)
        self.left -= 1
        said, won, done = protocol.NOTHING, False, False
        if parsed.kind == "thought":
            said = protocol.THOUGHT
        elif parsed.kind == "command":
            found = self.game.ask({"command": parsed.text})
            said = protocol.shown(str(found.get("observation", "")))
            won, done = found.get("won") is True, found.get("done") is True
        end = SOLVED if won else NOT_WON if done else None if self.left else OUT_OF_TURNS
        info = {"action": asdict(parsed), "won": won, "done": done}
        info |= {} if end is None else {"end": end}
        return Step(said, float(won), end is not None, info)

    def close(self) -> None:
        """End the game's process."""
        if self.game is not None:
            self.game.close()
        self.game = None
