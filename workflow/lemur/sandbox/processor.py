"""How much processor time a tree of processes has used, seen from outside."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


class ProcessorTime:
    """Processor time of one tree of processes, of those that have ended too.

    A process that ended is known by what was last seen of it, or by what the one that waited for it
    is told by the kernel: the larger of the two sums counts. What is missing is the time of processes
    that begin and end between two looks and that nobody waits for.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], int] = {}  # (process, its start) -> ticks of its own
        self._most = 0

    def measure(self, processes: Iterable[int]) -> float:
        """Seconds up to now; ``processes`` are those of the tree that still run."""
        inherited = 0
        for pid in processes:
            with contextlib.suppress(OSError, IndexError, ValueError):
                # The name of a process stands in parentheses and may hold some itself.
                fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
                user, system, users, systems = map(int, fields[11:15])
                self._seen[pid, int(fields[19])] = user + system
                inherited += user + system + users + systems
        self._most = max(self._most, inherited, sum(self._seen.values()))
        return self._most / os.sysconf("SC_CLK_TCK")
