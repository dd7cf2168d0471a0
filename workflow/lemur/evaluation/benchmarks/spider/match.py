"""Exact set match: whether two queries have the same clauses (Yu et al. 2018, section 5).

Values, DISTINCT and the conditions of joins are not compared; a column and the column that a
foreign key ties it to are one.
"""

import dataclasses
from collections import Counter
from typing import Any

from lemur.evaluation.benchmarks.spider.clauses import Column, Query, Unreadable, Value, parse
from lemur.evaluation.benchmarks.spider.databases import Database


def _tied(database: Database) -> dict[str, str]:
    """Each column of a foreign key -> the first column of those tied together."""
    order = [
        f"{name}.{column.lower()}"
        for name, table in database.tables.items()
        for column, _ in table.columns
    ]
    group = {column: {column} for column in order}
    for name, table in database.tables.items():
        for mine, other, theirs in table.foreign:
            for left, right in zip(mine, theirs, strict=True):
                pair = (f"{name}.{left.lower()}", f"{other.lower()}.{right.lower()}")
                together = group.get(pair[0], {pair[0]}) | group.get(pair[1], {pair[1]})
                for column in together:
                    group[column] = together
    place = {column: number for number, column in enumerate(order)}
    return {
        column: min(together, key=lambda tied: place.get(tied, len(order)))
        for column, together in group.items()
        if len(together) > 1
    }


class _Tie:
    """Rewrites columns of the outer query's tables, wherever they stand."""

    def __init__(self, query: Query, tied: dict[str, str]):
        self.tables = {name for name in query.tables if isinstance(name, str)}
        self.tied = tied

    def column(self, unit: Column | None) -> Column | None:
        if unit is None or unit[1].split(".")[0] not in self.tables:
            return unit
        return unit[0], self.tied.get(unit[1], unit[1])

    def value(self, unit: Value) -> Value:
        return unit[0], self.column(unit[1]), self.column(unit[2])

    def conditions(self, parts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            part
            if isinstance(part, str)
            else (part[0], part[1], self.value(part[2]), self.nested(part[3]), self.nested(part[4]))
            for part in parts
        )

    def nested(self, query: Query | None) -> Query | None:
        return None if query is None else self.query(query)

    def query(self, parsed: Query) -> Query:
        return dataclasses.replace(
            parsed,
            select=tuple((aggregate, self.value(unit)) for aggregate, unit in parsed.select),
            tables=tuple(self.query(t) if isinstance(t, Query) else t for t in parsed.tables),
            joins=self.conditions(parsed.joins),
            where=self.conditions(parsed.where),
            group=tuple(self.column(unit) for unit in parsed.group),
            having=self.conditions(parsed.having),
            order=parsed.order and (parsed.order[0], tuple(map(self.value, parsed.order[1]))),
            combined=parsed.combined and (parsed.combined[0], self.query(parsed.combined[1])),
        )


def keywords(query: Query) -> set[str]:
    """What the match calls keywords."""
    parts = [*query.joins, *query.where, *query.having]
    conditions = [part for part in parts if not isinstance(part, str)]
    found = {name for name in ("where", "group", "having", "limit") if getattr(query, name)}
    if query.order:
        found |= {"order", query.order[0]}
    if query.combined:
        found.add(query.combined[0])
    if "or" in parts:
        found.add("or")
    if any(part[0] for part in conditions):
        found.add("not")
    return found | ({part[1] for part in conditions} & {"in", "like"})


def _same_order(first: Query, second: Query) -> bool:
    return first.order == second.order and (first.order is None or first.limit == second.limit)


def same(first: Query, second: Query) -> bool:
    """Whether all clauses match."""
    left, right = first.combined, second.combined
    if (left is None) != (right is None) or (left and right and left[0] != right[0]):
        return False
    return (
        Counter(first.select) == Counter(second.select)
        and Counter(first.where[::2]) == Counter(second.where[::2])
        and set(first.where[1::2]) == set(second.where[1::2])
        and first.group == second.group
        and (not first.group or first.having == second.having)
        and _same_order(first, second)
        and keywords(first) == keywords(second)
        and Counter(first.tables) == Counter(second.tables)
        and (not (left and right) or same(left[1], right[1]))
    )


def exact(gold: str, found: str, database: Database) -> bool:
    """Whether ``found`` matches ``gold``; what cannot be read does not. A gold query that cannot
    be read raises Unreadable."""
    tied = _tied(database)
    wanted = parse(gold, database)
    try:
        given = parse(found, database)
    except Unreadable:
        return False
    return same(_Tie(wanted, tied).query(wanted), _Tie(given, tied).query(given))
