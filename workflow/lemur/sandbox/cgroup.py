"""A memory cgroup for each sandbox, where one can be made: what the kernel holds for its processes.

Page tables and the buffers of pipes and sockets are in no process's resident set and under no limit
of a process. The group sets no limit: the watch in ``process`` adds what it counts to what is
resident, so that a verdict does not depend on whether groups can be made.
"""

import contextlib
import functools
import itertools
import os
import signal
import time
from pathlib import Path

_NAME = "lemur-sandbox"
_counter = itertools.count()


@functools.cache
def parent() -> Path | None:
    """The folder in which this process may make memory cgroups, None where there is none."""
    for place in _candidates():
        with contextlib.suppress(OSError):
            _remove_old(place)
            group = Group(place)
            counted = group.kernel() is not None
            group.close()
            if counted:
                return place
    return None


def _candidates() -> list[Path]:
    """Version 1: below this process's own group. Version 2, whose groups hold either processes or
    groups: beside it, or below it in the root group."""
    own = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            own[controllers] = path
    found = []
    for kind, options, root, mounted in _mounts():
        first = kind == "cgroup" and "memory" in options.split(",")
        path = own.get("memory" if first else "", "")
        if not path or not (first or kind == "cgroup2"):
            continue
        inside = os.path.relpath(path, root)
        if inside.startswith(".."):  # of another namespace: its root is ours
            inside = "."
        here = Path(mounted) / inside
        if first:
            found.append(here)
        else:
            found += [place for place in (here, here.parent) if _shares_memory(place)]
    return found


def _mounts() -> list[tuple[str, str, str, str]]:
    """(file system, its options, its folder that is mounted, where) of all mounts."""
    found = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            left, _, right = line.partition(" - ")
            kind, _, options = right.split(" ", 2)
            found.append((kind, options, left.split()[3], left.split()[4]))
    return found


def _shares_memory(place: Path) -> bool:
    with contextlib.suppress(OSError):
        return "memory" in (place / "cgroup.subtree_control").read_text().split()
    return False


def _remove_old(place: Path) -> None:
    """Remove the groups of processes that were killed before they could."""
    for folder in place.glob(f"{_NAME}-*-*"):
        if not os.path.exists(f"/proc/{folder.name.split('-')[2]}"):
            with contextlib.suppress(OSError):
                if not (folder / "cgroup.procs").read_text():
                    folder.rmdir()


def make() -> "Group | None":
    """A new group, None where none can be made."""
    place = parent()
    if place is not None:
        with contextlib.suppress(OSError):
            return Group(place)
    return None


class Group:
    """A cgroup of its own, below ``place``. ``close`` removes it once its processes are gone."""

    def __init__(self, place: Path):
        self.folder = place / f"{_NAME}-{os.getpid()}-{next(_counter)}"
        self.folder.mkdir()

    def entering(self, command: list[str]) -> list[str]:
        """``command`` begun inside of the group."""
        enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"'
        return ["/bin/sh", "-c", enter, str(self.folder), *command]

    def kernel(self) -> int | None:
        """Bytes that the kernel holds for it, None where that is not counted."""
        with contextlib.suppress(OSError, ValueError):
            if (self.folder / "memory.kmem.usage_in_bytes").exists():
                names = ("memory.kmem.usage_in_bytes", "memory.kmem.tcp.usage_in_bytes")
                return sum(int((self.folder / name).read_text()) for name in names)
            lines = (self.folder / "memory.stat").read_text().splitlines()
            counted = {name: int(size) for name, size in map(str.split, lines)}
            parts = ("kernel_stack", "pagetables", "percpu", "slab")  # before Linux 5.18
            whole = counted.get("kernel", sum(counted.get(name, 0) for name in parts))
            return whole + counted.get("sock", 0)
        return None

    def close(self) -> None:
        """Remove it, and end what is left in it: a bubblewrap whose parent is killed early waits for
        it without end. A process may take a moment to be gone."""
        until = time.monotonic() + 2
        while time.monotonic() < until:
            try:
                self.folder.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                with contextlib.suppress(OSError):
                    for process in (self.folder / "cgroup.procs").read_text().split():
                        os.kill(int(process), signal.SIGKILL)
                time.sleep(0.005)
