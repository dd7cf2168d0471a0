"""What a confined process is told to become: its user and its limits."""

import itertools
import os

from lemur.sandbox.policy import Limits

_counter = itertools.count()


def settings(limits: Limits, user_namespace: bool) -> dict[str, int | None]:
    """For ``inside/confine.py``. As root each sandbox has a user of its own, numbered so that no two
    of one machine share a count of processes; in a user namespace it is nobody already."""
    number = 0x40000000 + os.getpid() % 2**20 * 512 + next(_counter) % 512
    return {
        "user": None if user_namespace else number,
        "cpu_seconds": limits.cpu_seconds,
        "memory_mb": limits.memory_mb,
        "file_mb": limits.file_mb,
        "processes": limits.processes,
        "open_files": limits.open_files,
    }
