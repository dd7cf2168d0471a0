"""InterCode-SQL: 1,034 questions about 20 databases, answered by queries."""

import functools
import threading
from collections.abc import Sequence
from pathlib import Path

from lemur.agents.environment import Environment, Message, Sampling, Suite, Task, Verdict
from lemur.agents.environments.intercode_sql import dump, judge, mariadb, protocol, sqlite, tasks
from lemur.agents.environments.intercode_sql.world import Session, World
from lemur.agents.episode import Episode, Turn
from lemur.agents.intercode import recorded
from lemur.agents.intercode.data import Files
from lemur.agents.intercode.protocol import parse_sql, sampling
from lemur.agents.recorded import Run
from lemur.core.errors import UserError, nearest
from lemur.sandbox.probe import probe
from lemur.sandbox.types import Absent

WORLDS = ("sqlite", "mariadb")


class Sql(Suite):
    """``data`` holds the original's files. ``world``: what answers the queries; numbers of different
    worlds are not to be put together, so each turn's ``info`` names its own."""

    name, skill = "intercode_sql", "self-debugging"

    def __init__(
        self,
        data: str | Path,
        world: str = "sqlite",
        turns: int = 10,
        limit: int | None = 5,
        handicap: bool = True,
        max_new_tokens: int = 4096,
    ):
        if world not in WORLDS:
            raise UserError(f"intercode_sql: world '{world}'{nearest(world, WORLDS)}")
        self.files = Files(data)
        self.world, self.turns, self.limit, self.handicap = world, turns, limit, handicap
        self.max_new_tokens = max_new_tokens
        self.server: mariadb.Server | None = None
        self.starting = threading.Lock()

    @functools.cached_property
    def databases(self) -> dict[str, dump.Database]:
        """All of the dump."""
        return dump.read(self.files.need(tasks.DUMP))

    def _connect(self, name: str) -> Session:
        if self.world == "sqlite":
            return sqlite.Session(name, self.databases[name])
        with self.starting:  # the first of several episodes starts it
            if self.server is None:
                self.server = mariadb.Server(self.files.need(tasks.DUMP))
        return self.server.connect(name)

    def close(self) -> None:
        """End the server, where there is one; else it ends with this process."""
        with self.starting:
            if self.server is not None:
                self.server.close()
                self.server = None

    def tasks(self) -> Sequence[Task]:
        return tasks.read(self.files)

    def sampling(self) -> Sampling:
        return sampling(self.max_new_tokens)

    def messages(self, task: Task, start: str, turns: Sequence[Turn]) -> list[Message]:
        return protocol.messages(task.data, turns, self.limit, self.handicap)

    def open(self) -> Environment:
        return World(self._connect, self.turns)

    def judge(self, task: Task, episode: Episode) -> Verdict:
        return judge.judge(episode)

    def gold(self, task: Task) -> Sequence[str]:
        return [say_query(task.data["gold"])]

    def unplayable(self, task: Task) -> str | None:
        if self.world == "mariadb" and (why := mariadb.missing()) is not None:
            return why
        sandbox = probe()
        if isinstance(sandbox, Absent):
            return sandbox.reason
        if task.data["db"] not in self.databases:
            return f"no database {task.data['db']} in the dump"
        return None


def say_query(query: str) -> str:
    """An answer that is read as ``query``. In a fence the original joins words, also those of texts,
    by one blank; outside of one it reads from the first SHOW, else from the first SELECT in capitals.
    """
    plain = parse_sql(query) == (query.partition(";")[0], True)
    return query if plain else f"```sql\n{query}\n```"


def find_records(folder: Path) -> list[Run]:
    """InterCode's logs of this data set; others are passed over."""

    def name_task(source: recorded.Source) -> str | None:
        mine = "sql" in source.environment or "spider" in source.dataset
        return source.number if mine else None

    return recorded.find_runs(folder, recorded.Format(name_task, say_query))


SUITE = Sql
RECORDS = find_records
