"""How hard Spider's own evaluation calls a query: each of its questions says it, so that a parser can be held to them."""

from typing import Any

from lemur.evaluation.benchmarks.spider.clauses import Query


def _conditions(query: Query, *names: str) -> list[Any]:
    return [part for name in names for part in getattr(query, name)[::2]]


def hardness(query: Query) -> str:
    """easy, medium, hard or extra, as Spider's evaluation counts it."""
    parts = [*query.joins[1::2], *query.where[1::2], *query.having[1::2]]
    every = _conditions(query, "joins", "where", "having")
    first = sum(map(bool, (query.where, query.group, query.order, query.limit)))
    first += max(0, len(query.tables) - 1) + parts.count("or")
    first += sum(part[1] == "like" for part in every)
    second = sum(value is not None for part in every for value in part[3:]) + bool(query.combined)
    # The original looks for aggregates at the head of each unit, which in a condition is its "not".
    aggregates = sum(bool(aggregate) for aggregate, _ in query.select)
    aggregates += sum(part[0] for part in query.where[::2])
    aggregates += sum(bool(aggregate) for aggregate, _ in query.group)
    if query.order:
        units = [unit for value in query.order[1] for unit in value[1:] if unit]
        aggregates += sum(bool(aggregate) for aggregate, _ in units)
    aggregates += sum(part if isinstance(part, bool) else bool(part[0]) for part in query.having)
    others = (aggregates > 1) + (len(query.select) > 1)
    others += (len(query.where) > 1) + (len(query.group) > 1)
    if first <= 1 and others == 0 and second == 0:
        return "easy"
    if second == 0 and ((others <= 2 and first <= 1) or (first <= 2 and others < 2)):
        return "medium"
    if (second == 0 and ((others > 2 and first <= 2) or (2 < first <= 3 and others <= 2))) or (
        first <= 1 and others == 0 and second <= 1
    ):
        return "hard"
    return "extra"
