"""Answers queries from a database in memory that nothing can change once it is filled."""

import os
import sqlite3
import sys
import time

sys.path.insert(0, "/judge")
import wire
from confine import confine

ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
FORBIDDEN = {"load_extension"}
MOST_BYTES = 8 << 20  # of an answer, roughly


def authorize(action, _first, second, _database, _trigger):
    """Reading alone."""
    if action in ALLOWED or action == sqlite3.SQLITE_FUNCTION and second not in FORBIDDEN:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def concat(*parts):
    """MySQL's CONCAT."""
    return None if None in parts else "".join(map(str, parts))


def compare(first, second):
    """MySQL's general collation: without regard to case and to blanks at the end."""
    first, second = first.rstrip(" ").upper(), second.rstrip(" ").upper()
    return (first > second) - (first < second)


def plain(value):
    """A value that JSON has: bytes as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def answer(connection, query, seconds):
    """``rows``, or the ``error`` of a query."""
    ends = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    try:
        cursor = connection.execute(query)
        if cursor.description is None:
            return {"rows": None}
        rows, size = [], 0
        for row in cursor:
            rows.append([plain(value) for value in row])
            size += 16 + sum(len(value) if isinstance(value, str) else 8 for value in row)
            if size > MOST_BYTES:
                return {"error": "Result is too large"}
        return {"rows": rows}
    except sqlite3.OperationalError as error:
        text = str(error)
        return {"error": "Query execution was interrupted" if text == "interrupted" else text}
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
        return {"error": str(error) or type(error).__name__}


def main():
    channel = int(os.environ["CHANNEL"])
    first = wire.receive(channel)
    confine(first["confine"])
    connection = sqlite3.connect(":memory:")
    connection.create_collation("MYSQL", compare)
    connection.executescript(first["script"])
    connection.create_function("concat", -1, concat, deterministic=True)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1 << 24)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(authorize)
    wire.send(channel, {"version": sqlite3.sqlite_version})
    while True:
        try:
            asked = wire.receive(channel)
        except wire.Closed:
            return
        try:
            wire.send(channel, answer(connection, asked["query"], asked["seconds"]))
        except UnicodeError as error:
            wire.send(channel, {"error": str(error)})


main()
