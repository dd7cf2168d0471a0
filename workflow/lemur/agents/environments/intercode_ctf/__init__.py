"""InterCode-CTF: 100 tasks of picoCTF, each a flag to be found in a shell."""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Environment, Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.intercode_ctf import judge, protocol, tasks
from lemur.agents.environments.intercode_ctf.world import World
from lemur.agents.episode import Episode, Turn
from lemur.agents.intercode import shell
from lemur.agents.intercode.data import Files
from lemur.agents.intercode.protocol import sampling
from lemur.agents.intercode.state import State


class Ctf(Suite):
    """``data`` holds the original's files."""

    name, skill = "intercode_ctf", "digital environment"

    def __init__(
        self, data: str | Path, turns: int = 10, limit: int | None = 7, max_new_tokens: int = 4096
    ):
        self.files = Files(data)
        self.turns, self.limit, self.max_new_tokens = turns, limit, max_new_tokens

    def _root(self, number: int) -> State:
        return tasks.root(self.files, number)

    def tasks(self) -> Sequence[Task]:
        return tasks.read(self.files)

    def sampling(self) -> Sampling:
        return sampling(self.max_new_tokens)

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        return protocol.messages(task.data["query"], turns, self.limit)

    def open(self) -> Environment:
        return World(self._root, self.turns)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        return judge.judge(episode)

    def gold(self, task: Task) -> Sequence[str]:
        flags = dict.fromkeys((tasks.flag(task.data), task.data["gold"]))
        return [f"Action: submit {flag}" for flag in flags]

    def unplayable(self, task: Task) -> str | None:
        return tasks.missing(self.files, task.data["task_id"]) or shell.missing()


SUITE = Ctf
