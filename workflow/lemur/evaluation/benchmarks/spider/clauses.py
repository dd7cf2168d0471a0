"""A query as its clauses, read by the grammar of Spider's own evaluation (Yu et al. 2018).

It knows the SQL that Spider is written in and no more: what it cannot read counts as no match, as
in the original. Values and DISTINCT are left out, columns are ``table.column``.
"""

import dataclasses
import re
from typing import Any

from lemur.evaluation.benchmarks.spider.databases import Database

AGGREGATES = ("max", "min", "count", "sum", "avg")
OPERATORS = ("between", "=", ">", "<", ">=", "<=", "!=", "in", "like", "is", "exists")
SETS = ("intersect", "union", "except")
_ENDS = {"group", "order", "limit", "having", "where", ")", ";", "join", "on", "and", "or", *SETS}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>'(?:[^']|'')*'|"[^"]*")|(?P<word>[A-Za-z_][\w]*(?:\.(?:\w+|\*))?)"""
    r"""|(?P<number>-?\d+(?:\.\d+)?)|(?P<sign>!=|<>|>=|<=|[=<>(),*+/;-]))"""
)


class Unreadable(Exception):
    """Outside of the grammar."""


# A column with its aggregate: (aggregate or "", "table.column" or "*").
Column = tuple[str, str]
# Columns joined by an operator, or one alone: (operator or "", first, second or None).
Value = tuple[str, Column, Column | None]
# (negated, operator, what, first nested query or None, second nested query or None)
Condition = tuple[bool, str, Value, Any, Any]


@dataclasses.dataclass(frozen=True)
class Query:
    """Clauses; ``where``, ``having`` and ``joins`` hold conditions with "and" or "or" between."""

    select: tuple[tuple[str, Value], ...]
    tables: tuple[Any, ...]  # names, or queries
    joins: tuple[Any, ...] = ()
    where: tuple[Any, ...] = ()
    group: tuple[Column, ...] = ()
    having: tuple[Any, ...] = ()
    order: tuple[str, tuple[Value, ...]] | None = None
    limit: bool = False
    combined: tuple[str, "Query"] | None = None


def tokens(text: str) -> list[str]:
    """Lower case outside of texts; every text is ``'value'``."""
    found, place = [], 0
    text = text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise Unreadable(text[place : place + 20])
        quoted = match.group("text")
        found.append("'value'" if quoted else match.group(match.lastgroup).lower())
        place = match.end()
    return ["!=" if word == "<>" else word for word in found]


class _Reader:
    def __init__(self, text: str, database: Database):
        self.tokens, self.place = tokens(text), 0
        self.columns = {
            name: {column.lower() for column, _ in table.columns}
            for name, table in database.tables.items()
        }
        self.names = {name: name for name in self.columns}
        for at, word in enumerate(self.tokens[1:-1], 1):  # one scope for the whole query
            if word == "as":
                self.names[self.tokens[at + 1]] = self.tokens[at - 1]

    def peek(self, ahead: int = 0) -> str:
        at = self.place + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        word = self.peek()
        if not word or (expected and word not in expected):
            raise Unreadable(f"'{word}' where {expected} is due")
        self.place += 1
        return word

    def took(self, *wanted: str) -> bool:
        if self.peek() in wanted:
            self.place += 1
            return True
        return False

    def query(self) -> Query:
        block = self.took("(")
        # The columns of SELECT can be named when FROM is known.
        start, depth = self.place, 0
        while (word := self.peek()) and not (word == "from" and depth == 0):
            depth += {"(": 1, ")": -1}.get(word, 0)
            self.place += 1
        self.take("from")
        tables, joins = self._from()
        end, self.place = self.place, start
        self.scope = [name for name in tables if isinstance(name, str)]
        select = self._select()
        if self.peek() != "from":
            raise Unreadable("SELECT")
        self.place, scope = end, self.scope
        where = self._conditions(scope) if self.took("where") else ()
        group = self._many(self._column_unit) if self.took("group") and self.take("by") else ()
        having = self._conditions(scope) if self.took("having") else ()
        order = self._order() if self.took("order") and self.take("by") else None
        limit = self.took("limit") and bool(self.take())
        combined = None
        while self.took(";"):
            pass
        if block:
            self.take(")")
        if self.peek() in SETS:
            kind = self.take()
            combined = kind, self.query()
            self.scope = scope
        return Query(select, tables, joins, where, group, having, order, limit, combined)

    def _from(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        tables: list[Any] = []
        joins: list[Any] = []
        while self.peek() and (self.peek() not in _ENDS or self.peek() == "join"):
            self.took("join")
            block = self.took("(")
            if self.peek() == "select":
                tables.append(self.query())
            else:
                name = self.take()
                if name not in self.columns:
                    raise Unreadable(f"table '{name}'")
                tables.append(name)
                if self.took("as"):
                    self.take()
            if block:
                self.take(")")
                if self.took("as"):
                    self.take()
            self.took(",")
            if self.took("on"):
                scope = [name for name in tables if isinstance(name, str)]
                joins += ["and"] if joins else []
                joins += self._conditions(scope)
        return tuple(tables), tuple(joins)

    def _many(self, part: Any) -> tuple[Any, ...]:
        found = [part()]
        while self.took(","):
            found.append(part())
        return tuple(found)

    def _select(self) -> tuple[Any, ...]:
        self.take("select")
        self.took("distinct")

        def item() -> tuple[str, Value]:
            aggregate = self.take() if self.peek() in AGGREGATES else ""
            return aggregate, self._value_unit()

        return self._many(item)

    def _value_unit(self) -> Value:
        block = self.took("(")
        first, second, sign = self._column_unit(), None, ""
        if self.peek() in ("-", "+", "*", "/"):
            sign, second = self.take(), self._column_unit()
        elif self.peek().startswith("-") and self.peek()[1:]:
            raise Unreadable("a number in a sum")
        if block:
            self.take(")")
        return sign, first, second

    def _column_unit(self) -> Column:
        block = self.took("(")
        aggregate = ""
        if self.peek() in AGGREGATES:
            aggregate = self.take()
            self.take("(")
            self.took("distinct")
            column = self._column()
            self.take(")")
        else:
            self.took("distinct")
            column = self._column()
        if block:
            self.take(")")
        return aggregate, column

    def _column(self) -> str:
        word = self.take()
        if word == "*":
            return word
        if "." in word:
            alias, column = word.split(".")
            table = self.names.get(alias, "")
            if column in self.columns.get(table, ()) or column == "*":
                return f"{table}.{column}"
            raise Unreadable(f"column '{word}'")
        for table in self.scope:
            if word in self.columns[table]:
                return f"{table}.{word}"
        raise Unreadable(f"column '{word}'")

    def _conditions(self, scope: list[str]) -> tuple[Any, ...]:
        found: list[Any] = []
        while True:
            self.scope = scope
            found.append(self._condition(scope))
            if self.peek() not in ("and", "or"):
                return tuple(found)
            found.append(self.take())

    def _condition(self, scope: list[str]) -> Condition:
        what = self._value_unit()
        negated = self.took("not")
        operator = self.take(*OPERATORS)
        first = self._value(scope)
        second = None
        if operator == "between":
            self.take("and")
            second = self._value(scope)
        return negated, operator, what, first, second

    def _value(self, scope: list[str]) -> Query | None:
        block = self.took("(")
        found = None
        if self.peek() == "select":
            found = self.query()
            self.scope = scope
        elif self.peek() == "'value'" or re.fullmatch(r"-?\d.*", self.peek()):
            self.take()
        elif not self.took("null"):
            self._column_unit()
        if block:
            self.take(")")
        return found

    def _order(self) -> tuple[str, tuple[Value, ...]]:
        found, direction = [], "asc"
        while True:
            found.append(self._value_unit())
            if self.peek() in ("asc", "desc"):
                direction = self.take()
            if not self.took(","):
                return direction, tuple(found)


def parse(text: str, database: Database) -> Query:
    """Clauses of ``text``; Unreadable outside of the grammar."""
    reader = _Reader(text, database)
    try:
        found = reader.query()
    except RecursionError:
        raise Unreadable("nested too deep") from None
    if reader.peek():
        raise Unreadable(f"'{reader.peek()}' at the end")
    return found
