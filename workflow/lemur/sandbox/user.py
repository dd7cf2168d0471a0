"""What a confined process is told to become: its user and its limits."""

import itertools
import os

from lemur.sandbox.policy import Limits

_counter = itertools.count()


def draw_user() -> int:
    """A user of its own, numbered so that no two sandboxes of one machine share a count of
    processes."""
    return 0x40000000 + os.getpid() % 2**20 * 512 + next(_counter) % 512


def list_settings(limits: Limits, another_user: bool) -> dict[str, int | None]:
    """For ``inside/confine.py``; with ``another_user`` it is not root when it begins."""
    return {
        "user": None if another_user else draw_user(),
        "cpu_seconds": limits.cpu_seconds,
        "memory_mb": limits.memory_mb,
        "file_mb": limits.file_mb,
        "processes": limits.processes,
        "open_files": limits.open_files,
    }
