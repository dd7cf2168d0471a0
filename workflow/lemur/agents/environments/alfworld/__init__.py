"""ALFWorld with ReAct's prompt: a household to be explored by text."""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.alfworld import process, protocol, tasks
from lemur.agents.environments.alfworld.judge import judge
from lemur.agents.environments.alfworld.world import World
from lemur.agents.episode import Episode, Turn


class ALFWorld(Suite):
    """``data`` holds MINT's repository, whose games of rooms never seen these are.

    ``turns`` bounds the answers of an episode, ``commands`` those that the game takes before it says
    that it is done.
    """

    name, skill = "alfworld", "physical environment"

    def __init__(self, data: Path | str, turns: int = 50, commands: int = 50):
        self.turns, self.commands = turns, commands
        self._tasks = tasks.read_tasks(Path(data))
        self.examples = tasks.read_examples(Path(data))
        self.line = process.command()

    def tasks(self) -> Sequence[Task]:
        """In MINT's order."""
        return self._tasks

    def sampling(self) -> Sampling:
        """Greedy, up to an observation."""
        return protocol.SAMPLING

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        """Two solved games of the kind, and the task."""
        return protocol.messages(self.examples, task, start, turns)

    def open(self) -> World:
        """A world whose process starts with ``reset``."""
        return World(self.line, self.turns, self.commands)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        """``done`` and ``won``."""
        return judge(episode)

    def gold(self, task: Task) -> Sequence[str] | None:
        """The planner's commands, for which the game is started once; None where none can be."""
        if self.line is None:
            return None
        found = process.plan(self.line, task.data["game"], self.commands)
        return [f"Action: {command}" for command in found]

    def unplayable(self, task: Task) -> str | None:
        """Its library comes as source, minutes of a compiler, and is built only when asked."""
        return None if self.line is not None else process.BUILD


SUITE = ALFWorld
