"""A database in SQLite, in a sandbox of an episode's own, that speaks MySQL where it must."""

import json
import re
import socket
import struct

from lemur.agents.environment import WorldFailed
from lemur.agents.environments.intercode_sql.dump import Database
from lemur.sandbox.policy import Limits
from lemur.sandbox.probe import probe
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Absent
from lemur.sandbox.user import list_settings

LIMITS = Limits(cpu_seconds=600, memory_mb=512, processes=16, tmp_mb=16)
QUERY_SECONDS = 10.0
SPARE_SECONDS = 20.0
LOST = "Lost connection to MySQL server during query"
# SQLite's complaint, and MySQL's.
ERRORS = (
    (r"no such table: (?:\w+\.)?(.+)", r"Table '{database}.\1' doesn't exist"),
    (r"no such column: (.+)", r"Unknown column '\1' in 'field list'"),
    (r"ambiguous column name: (.+)", r"Column '\1' in field list is ambiguous"),
    (r"no such function: (.+)", r"FUNCTION {database}.\1 does not exist"),
    (r"near \"(.*)\": syntax error", r"You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near '\1' at line 1"),
)  # fmt: skip
_NAME = r"`?(?:\w+`?\.`?)?(\w+)`?"


class Session:
    """One connection. Answers are rows, a text for an error, or None where there are no rows."""

    def __init__(self, name: str, database: Database):
        self.name, self.database = name, database
        self.process: Confined | None = None
        self._start()

    def _start(self) -> None:
        sandbox = probe()
        if isinstance(sandbox, Absent):
            raise WorldFailed(f"SQLite: {sandbox.reason}")
        self.channel, theirs = socket.socketpair()
        self.channel.settimeout(SPARE_SECONDS)
        with theirs:
            files = {"CHANNEL": theirs.fileno()}
            self.process = Confined(sandbox, "sqlite.py", LIMITS, files=files)
        confine = list_settings(LIMITS, sandbox.another_user)
        reply = self._ask({"confine": confine, "script": self.database.script()})
        if reply is None:
            self.close()
            raise WorldFailed("SQLite: its sandbox ended before it answered")
        self.version = f"SQLite {reply['version']}"

    def _ask(self, message: dict) -> dict | None:
        """None where the other side is gone."""
        data = json.dumps(message).encode("utf-8")
        try:
            self.channel.sendall(struct.pack("<I", len(data)) + data)
            size = struct.unpack("<I", self._read(4))[0]
            reply = json.loads(self._read(size))
        except (OSError, ValueError, struct.error):
            return None
        return reply if isinstance(reply, dict) else None

    def _read(self, size: int) -> bytes:
        made = bytearray()
        while len(made) < size:
            part = self.channel.recv(min(1 << 20, size - len(made)))
            if not part:
                raise ConnectionError
            made += part
        return bytes(made)

    def query(self, text: str) -> list[tuple] | str | None:
        """Execute one query."""
        shown = self._shown(text)
        if shown is not None:
            return shown
        reply = self._ask({"query": text, "seconds": QUERY_SECONDS})
        if reply is None:
            self.close()
            self._start()
            return LOST
        if "error" in reply:
            return self._error(str(reply["error"]))
        return None if reply["rows"] is None else [tuple(row) for row in reply["rows"]]

    def _error(self, text: str) -> str:
        for pattern, other in ERRORS:
            if re.fullmatch(pattern, text, re.DOTALL):
                return re.sub(pattern, other, text, flags=re.DOTALL).format_map({"database": self.name}) if "{" in other else re.sub(pattern, other, text, flags=re.DOTALL)  # fmt: skip
        return text

    def _shown(self, text: str) -> list[tuple] | str | None:
        """What SHOW and DESCRIBE say; None for other queries."""
        words = text.strip().rstrip(";")
        if re.fullmatch(r"(?i)SHOW\s+(FULL\s+)?TABLES.*", words, re.DOTALL):
            return [(name,) for name in sorted(self.database.tables)]
        if re.fullmatch(r"(?i)SHOW\s+(DATABASES|SCHEMAS)", words):
            return [(self.name,)]
        found = re.fullmatch(rf"(?i)(?:DESC|DESCRIBE|EXPLAIN)\s+{_NAME}", words)
        found = found or re.fullmatch(rf"(?i)SHOW\s+(?:FULL\s+)?(?:COLUMNS|FIELDS)\s+(?:FROM|IN)\s+{_NAME}.*", words, re.DOTALL)  # fmt: skip
        if found is None:
            return None
        columns = self.database.tables.get(found[1].lower())
        if columns is None:
            return f"Table '{self.name}.{found[1]}' doesn't exist"
        return [column.row() for column in columns]

    def close(self) -> None:
        """End the sandbox."""
        if self.process is not None:
            self.process.end()
            self.channel.close()
            self.process = None
