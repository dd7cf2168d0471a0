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
def find_parent() -> Path | None:
    """The folder in which this process may make memory cgroups, None where there is none."""
    for place in _find_candidates():
        with contextlib.suppress(OSError):
            _remove_old(place)
            group = Group(place)
            counted = group.read_kernel_memory() is not None
            group.close()
            if counted:
                return place
    return None


def _find_candidates() -> list[Path]:
    """Version 1: below this process's own group. Version 2, whose groups hold either processes or
    groups: below it in the root group, else beside it where that is left to this process."""
    own = _read_own()
    found = []
    for kind, options, root, mounted in _read_mounts():
        first = kind == "cgroup" and "memory" in options.split(",")
        path = own.get("memory" if first else "", "")
        if not path or not (first or kind == "cgroup2"):
            continue
        inside = os.path.relpath(path, root)
        if inside.startswith(".."):  # of another namespace: its root is ours
            inside = "."
        top = Path(mounted)
        here = top / inside
        if first:
            found.append(here)
            continue
        places = [here] if here == top else [here, here.parent]
        # Who is in the root of all has no manager, and a namespace's root is left to who lives there.
        ours = here == top or (top / "cgroup.type").exists()
        found += [
            place
            for place in places
            if _shares_memory(place) and (_is_delegated(place, top) or (ours and place == top))
        ]
    return found


def _is_delegated(place: Path, top: Path) -> bool:
    """Whether groups may be made in ``place`` of a version 2 mounted at ``top``. Each group has one
    manager, mostly systemd, which may remove or change what others put there. It marks what it leaves
    to others, and what is below that is theirs too; a folder that belongs to an ordinary user has been
    given to that user."""
    for folder in (place, *place.parents):
        for name in ("user.delegate", "trusted.delegate"):
            with contextlib.suppress(OSError):
                if os.getxattr(folder, name) == b"1":
                    return True
        if folder == top:
            break
    return os.geteuid() != 0 and place.stat().st_uid == os.geteuid()


def _read_own() -> dict[str, str]:
    """The groups of this process: path by controllers, "" for those of version 2."""
    own = {}
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            own[controllers] = path
    return own


def _read_mounts() -> list[tuple[str, str, str, str]]:
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


def make_group() -> "Group | None":
    """A new group, None where none can be made."""
    place = find_parent()
    if place is not None:
        with contextlib.suppress(OSError):
            return Group(place)
    return None


class Group:
    """A cgroup of its own, below ``place``. ``close`` removes it once its processes are gone."""

    def __init__(self, place: Path):
        self.folder = place / f"{_NAME}-{os.getpid()}-{next(_counter)}"
        self.folder.mkdir()
        limit = self.folder / "memory.kmem.tcp.limit_in_bytes"
        with contextlib.suppress(OSError):
            if limit.exists():  # version 1 counts what waits in connections only below a limit
                limit.write_text(str((1 << 63) - 4096))

    def wrap_command(self, command: list[str]) -> list[str]:
        """``command`` begun inside of the group, outside of it where it cannot enter."""
        enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"'
        return ["/bin/sh", "-c", enter, str(self.folder), *command]

    def is_empty(self) -> bool:
        """Whether no process is in it."""
        with contextlib.suppress(OSError):
            return not (self.folder / "cgroup.procs").read_bytes().strip()
        return True

    def read_kernel_memory(self) -> int | None:
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
