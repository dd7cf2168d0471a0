"""InterCode-CTF: 100 tasks of picoCTF, each a flag to be found in a shell."""

from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Environment, Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.intercode_ctf import judge, protocol, tasks
from lemur.agents.environments.intercode_ctf.world import World
from lemur.agents.episode import Episode, Turn
from lemur.agents.intercode import recorded, shell
from lemur.agents.intercode.data import Files
from lemur.agents.intercode.protocol import sampling
from lemur.agents.intercode.state import State
from lemur.agents.recorded import Run


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

    def explain(self, before: str, now: str) -> str:
        return recorded.explain(before, now)

    def unplayable(self, task: Task) -> str | None:
        return tasks.missing(self.files, task.data["task_id"]) or shell.missing()


def say_action(action: str) -> str:
    """An answer that is read as ``action``."""
    return action if protocol.parse(action) == action else f"Action: {action}"


def find_records(folder: Path) -> list[Run]:
    """InterCode's logs of these 100 tasks; others are passed over. After a flag that was accepted the
    original logs the observation before it once more, which is no observation of that action."""

    def name_task(source: recorded.Source) -> str | None:
        return source.number if Path(source.dataset).name == Path(tasks.PATH).name else None

    def observes(action: str, reward: float) -> bool:
        return reward != 1

    return recorded.find_runs(folder, recorded.Format(name_task, say_action, observes))


SUITE = Ctf
RECORDS = find_records
