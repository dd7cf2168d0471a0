"""InterCode-Bash: 200 questions answered by shell commands on four file systems."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Environment, Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.intercode_bash import judge, protocol, tasks
from lemur.agents.environments.intercode_bash.world import World
from lemur.agents.episode import Episode, Turn
from lemur.agents.intercode import recorded, shell
from lemur.agents.intercode.data import Files
from lemur.agents.intercode.protocol import Blocked, parse_bash, sampling
from lemur.agents.intercode.state import State
from lemur.agents.recorded import Run

CLOCK = re.compile(r"\b\d\d:\d\d(:\d\d(\.\d+)?)?\b")


class Bash(Suite):
    """``data`` holds the original's files. ``repaired``: commands are executed as they were said,
    while the original lower-cases fenced ones and breaks at double quotes."""

    name, skill = "intercode_bash", "self-debugging"

    def __init__(
        self,
        data: str | Path,
        turns: int = 10,
        limit: int | None = 7,
        max_new_tokens: int = 4096,
        repaired: bool = False,
    ):
        self.files = Files(data)
        self.turns, self.limit, self.repaired = turns, limit, repaired
        self.max_new_tokens = max_new_tokens
        self.system = functools.cache(self._system)

    def _system(self, number: int) -> State:
        return tasks.system(self.files, number)

    def tasks(self) -> Sequence[Task]:
        return tasks.read(self.files)

    def sampling(self) -> Sampling:
        return sampling(self.max_new_tokens)

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        return protocol.messages(task.data["query"], turns, self.limit)

    def open(self) -> Environment:
        return World(self.system, self.turns, self.repaired)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        return judge.judge(episode)

    def gold(self, task: Task) -> Sequence[str]:
        return [task.data["gold"]]

    def normalised(self, observation: str) -> str:
        return CLOCK.sub("00:00", observation)  # of files that were just made, and of processes

    def explain(self, before: str, now: str) -> str:
        return recorded.explain(before, now)

    def unplayable(self, task: Task) -> str | None:
        missing = shell.missing()
        if missing is None and (program := tasks.needs(task.data["gold"])) is not None:
            missing = f"no {program}"
        return missing


def say_command(action: str) -> str:
    """An answer that is read as ``action``, which the original's parser has read already."""
    try:
        plain = parse_bash(action) == action
    except Blocked:
        plain = False
    return action if plain else f"command:{action}"


def find_records(folder: Path) -> list[Run]:
    """InterCode's logs of the four file systems; others are passed over."""

    def name_task(source: recorded.Source) -> str | None:
        found = re.search(r"nl2bash_fs_(\d)", source.dataset)
        return f"{found.group(1)}/{source.number}" if found else None

    return recorded.find_runs(folder, recorded.Format(name_task, say_command))


SUITE = Bash
RECORDS = find_records
