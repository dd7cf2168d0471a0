"""Spider's databases as SQLite, from the MySQL dump that InterCode distributes them as."""

import dataclasses
import re
import sqlite3

from lemur.core.errors import UserError

_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "Z": "\x1a"}
# MySQL's types as SQLite's affinities; dates stay text, as in Spider's own SQLite files.
_AFFINITY = {"int": "INTEGER", "bigint": "INTEGER", "double": "REAL", "float": "REAL"}
_REAL = {"decimal": "REAL"}
_NAME = r"`([^`]+)`"
_COLUMN = re.compile(rf"^{_NAME}\s+([a-z]+)")
_PRIMARY = re.compile(r"^PRIMARY KEY \((.+)\)$")
_FOREIGN = re.compile(rf"FOREIGN KEY \((.+?)\) REFERENCES {_NAME} \((.+?)\)")


@dataclasses.dataclass
class Table:
    """One table: columns as (name, affinity), keys, and what fills it."""

    name: str
    columns: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    primary: list[str] = dataclasses.field(default_factory=list)
    foreign: list[tuple[list[str], str, list[str]]] = dataclasses.field(default_factory=list)
    inserts: list[str] = dataclasses.field(default_factory=list)

    def create(self) -> str:
        """``CREATE TABLE`` as a model is shown it and SQLite is given it."""
        lines = [f"  {_quoted(name)} {kind}" for name, kind in self.columns]
        if self.primary:
            lines.append(f"  PRIMARY KEY ({_list(self.primary)})")
        for mine, table, theirs in self.foreign:
            lines.append(
                f"  FOREIGN KEY ({_list(mine)}) REFERENCES {_quoted(table)} ({_list(theirs)})"
            )
        return f"CREATE TABLE {_quoted(self.name)} (\n" + ",\n".join(lines) + "\n);"


@dataclasses.dataclass
class Database:
    """One database of the dump: its tables by their name in lower case."""

    name: str
    tables: dict[str, Table] = dataclasses.field(default_factory=dict)

    def schema(self) -> str:
        """All ``CREATE TABLE`` statements."""
        return "\n\n".join(table.create() for table in self.tables.values())

    def script(self) -> str:
        """SQL that builds and fills it."""
        parts = [self.schema()]
        parts += [text for table in self.tables.values() for text in table.inserts]
        return "\n".join(parts) + "\n"

    def build(self) -> sqlite3.Connection:
        """The database in memory; UserError where SQLite does not take it."""
        base = sqlite3.connect(":memory:")
        base.text_factory = lambda data: data.decode(errors="ignore")
        try:
            base.executescript(self.script())
        except sqlite3.Error as error:
            base.close()
            raise UserError(f"database '{self.name}' cannot be built ({error})") from None
        return base


def _quoted(name: str) -> str:
    """A name as SQL, quoted where it has to be."""
    return (
        name if re.fullmatch(r"[A-Za-z_]\w*", name) and name.upper() not in _WORDS else f'"{name}"'
    )


_WORDS = {
    "ORDER",
    "GROUP",
    "INDEX",
    "TABLE",
    "SELECT",
    "FROM",
    "WHERE",
    "TO",
    "VALUES",
    "TRANSACTION",
}


def _list(names: list[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _names(text: str) -> list[str]:
    return re.findall(_NAME, text)


def _literal(match: re.Match[str]) -> str:
    """A MySQL string as an SQLite string."""
    inner = match.group(0)[1:-1].replace("''", "'")
    inner = re.sub(
        r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(1)), inner, flags=re.S
    )
    return "'" + inner.replace("'", "''") + "'"


def _statements(dump: str, where: str) -> list[str]:
    """Statements of a dump, without comments; a semicolon inside a string does not end one. UserError
    where the last one has no end: the file was cut short."""
    token = re.compile(
        r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|/\*.*?\*/|--[^\n]*\n|;|[^'`/;-]+|.", re.DOTALL
    )
    found, current = [], []
    for match in token.finditer(dump):
        text = match.group(0)
        if text == ";":
            found.append("".join(current).strip())
            current = []
        elif not text.startswith(("/*", "--")) or text in ("/", "-"):
            current.append(text)
    if left := "".join(current).strip():
        raise UserError(f"{where}: it ends in the middle of a statement ('{left[:40]}...')")
    return [statement for statement in found if statement]


def _table(statement: str, where: str) -> Table:
    head = re.match(rf"CREATE TABLE {_NAME} \((.*)\)[^)]*$", statement, re.DOTALL)
    if head is None:
        raise UserError(f"{where}: a CREATE TABLE that is not of mysqldump's form")
    table = Table(head.group(1))
    for line in head.group(2).strip().split("\n"):
        text = line.strip().rstrip(",")
        if column := _COLUMN.match(text):
            kind = column.group(2)
            table.columns.append((column.group(1), {**_AFFINITY, **_REAL}.get(kind, "TEXT")))
        elif primary := _PRIMARY.match(text):
            table.primary = _names(primary.group(1))
        elif foreign := _FOREIGN.search(text):
            key = (_names(foreign.group(1)), foreign.group(2), _names(foreign.group(3)))
            table.foreign.append(key)
    if not table.columns:
        raise UserError(f"{where}: table '{table.name}' has no columns")
    return table


def read(dump: str, where: str) -> dict[str, Database]:
    """Databases of a ``mysqldump`` by name; UserError where it is not one."""
    databases: dict[str, Database] = {}
    current: Database | None = None
    for statement in _statements(dump, where):
        if used := re.match(rf"USE {_NAME}$", statement):
            current = databases.setdefault(used.group(1), Database(used.group(1)))
        elif statement.startswith("CREATE TABLE "):
            if current is None:
                raise UserError(f"{where}: a table outside of any database")
            table = _table(statement, where)
            current.tables[table.name.lower()] = table
        elif insert := re.match(rf"INSERT INTO {_NAME} VALUES", statement):
            if current is None or insert.group(1).lower() not in current.tables:
                raise UserError(f"{where}: rows for '{insert.group(1)}', which is no table")
            table = current.tables[insert.group(1).lower()]
            rest = _TEXT.sub(_literal, statement[insert.end() :])
            table.inserts.append(f"INSERT INTO {_quoted(table.name)} VALUES{rest};")
    if not databases:
        raise UserError(f"{where}: no database in it")
    return databases
