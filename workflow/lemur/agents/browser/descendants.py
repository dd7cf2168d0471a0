"""Processes below one, whatever sessions they have made for themselves: a browser leaves its parent's."""

import contextlib
import os
import signal
from pathlib import Path

FOLDER = "lemur-browser-"  # how the names of the folders begin that such processes are given


def end_below(parent: int) -> None:
    """End every process that descends from ``parent``, but not that one."""
    for child in below(parent):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)


def below(parent: int) -> list[int]:
    """The processes that descend from one, by what the kernel lists."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = entry.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, todo = [], [parent]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found
