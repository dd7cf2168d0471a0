"""Reads the databases of a MySQL dump: their tables as ``DESCRIBE`` shows them, and as SQLite."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from lemur.core.errors import UserError

# SQLite's affinities. MySQL's collation of these dumps, utf8mb4_general_ci, ignores case and blanks
# at the end: ``inside/sqlite.py`` has it by the name MYSQL.
AFFINITIES = (
    (r"(tiny|small|medium|big)?int|year|bit|bool", "INTEGER"),
    (r"double|float|real", "REAL"),
    (r"decimal|numeric", "NUMERIC"),
)
ESCAPES = {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "b": "\b", "Z": "\x1a"}
_TEXT = re.compile(r"'((?:[^'\\]|\\.|'')*)'", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """As MySQL describes it. ``key``: PRI, MUL, UNI or ""."""

    name: str
    kind: str
    null: bool
    key: str
    default: str | None
    extra: str

    def row(self) -> tuple:
        """A row of ``DESCRIBE``."""
        null = "YES" if self.null else "NO"
        return (self.name, self.kind, null, self.key, self.default, self.extra)


@dataclass
class Database:
    """Its tables by their names in lower case, and the statements that fill them in SQLite."""

    tables: dict[str, list[Column]] = field(default_factory=dict)
    inserts: list[str] = field(default_factory=list)

    def script(self) -> str:
        """SQLite's statements that make it."""
        made = []
        for name, columns in self.tables.items():
            shown = ", ".join(f"`{each.name}` {_sqlite(each.kind)}" for each in columns)
            made.append(f"CREATE TABLE `{name}` ({shown});")
        return "BEGIN;" + "".join(made) + "".join(self.inserts) + "COMMIT;"


def _sqlite(kind: str) -> str:
    for pattern, affinity in AFFINITIES:
        if re.match(rf"({pattern})\b", kind):
            return affinity
    return "TEXT COLLATE MYSQL"


def read(path: Path) -> dict[str, Database]:
    """All databases of a dump, by name."""
    databases: dict[str, Database] = {}
    now: Database | None = None
    text = path.read_text("utf-8")
    for line in _statements(text):
        if found := re.match(r"USE `(\w+)`", line):
            now = databases.setdefault(found[1], Database())
        elif found := re.match(r"CREATE TABLE `([^`]+)` \((.*)\)", line, re.DOTALL):
            _at(now, path).tables[found[1].lower()] = _columns(found[2])
        elif found := re.match(r"INSERT INTO `([^`]+)` (.*)", line, re.DOTALL):
            values = _TEXT.sub(_literal, found[2])
            _at(now, path).inserts.append(f"INSERT INTO `{found[1].lower()}` {values};")
    if not databases:
        raise UserError(f"{path}: no database in this dump (no line that begins with USE)")
    return databases


def _at(database: Database | None, path: Path) -> Database:
    if database is None:
        raise UserError(f"{path}: a table stands before the first USE")
    return database


def _statements(text: str) -> list[str]:
    """The dump's statements, each without its semicolon; a semicolon in a text ends none."""
    made, begin = [], 0
    for found in re.finditer(r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|--[^\n]*|/\*.*?\*/|;", text, re.DOTALL):
        if found[0] == ";":
            made.append(text[begin : found.start()])
            begin = found.end()
    return [re.sub(r"\A(\s+|--[^\n]*\n|/\*.*?\*/)+", "", each, flags=re.DOTALL) for each in made]


def _literal(found: re.Match[str]) -> str:
    def plain(each: re.Match[str]) -> str:
        return "'" if each[0] == "''" else ESCAPES.get(each[0][1], each[0][1])

    value = re.sub(r"\\.|''", plain, found[1], flags=re.DOTALL)
    return "'" + value.replace("'", "''").replace("\0", "") + "'"


def _columns(body: str) -> list[Column]:
    lines = [line.strip().rstrip(",") for line in body.strip().splitlines()]
    keys: dict[str, str] = {}
    for line in lines:
        if found := re.match(r"(PRIMARY |UNIQUE )?KEY .*?\((`.*`)(\(\d+\))?\)", line):
            names = re.findall(r"`([^`]+)`", found[2])
            for name in names if found[1] == "PRIMARY " else names[:1]:
                kind = {"PRIMARY ": "PRI", "UNIQUE ": "UNI"}.get(found[1], "MUL")
                keys.setdefault(name, kind)
    columns = []
    for line in lines:
        found = re.match(r"`([^`]+)` (\w+(?:\([^)]*\))?(?: unsigned)?)(.*)", line)
        if found:
            default = re.search(r"DEFAULT (NULL|'([^']*)')", found[3])
            extra = "auto_increment" if "AUTO_INCREMENT" in found[3] else ""
            null = "NOT NULL" not in found[3]
            shown = default[2] if default and default[1] != "NULL" else None
            columns.append(Column(found[1], found[2], null, keys.get(found[1], ""), shown, extra))
    return columns
