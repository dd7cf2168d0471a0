"""What a tree of processes holds, seen from outside: memory, and memory that nobody has mapped in."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

# Of /proc/PID/maps: memory that belongs to no file, shared by those that map it.
_SHARED = (b"/dev/zero", b"/SYSV", b"/memfd:", b"[anon_shmem")


def find_children(pid: int) -> list[int]:
    """Processes that ``pid`` started and that have not ended."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def list_tree(roots: Iterable[int]) -> list[int]:
    """``roots`` and all their descendants that have not ended."""
    queue, found = list(roots), []
    while queue:
        found.append(queue.pop())
        queue += find_children(found[-1])
    return found


def measure_resident(processes: Iterable[int]) -> int:
    """Bytes that ``processes`` hold, as far as they can still be read: what is resident, and shared
    memory whole, which stays when the process that has filled it is gone."""
    total, page = 0, os.sysconf("SC_PAGE_SIZE")
    seen = 0  # of shared memory, in ``total`` already
    shared: dict[bytes, int] = {}
    for pid in processes:
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page
            mapped = _shared(pid)
            if mapped:
                seen += _shared_resident(pid)
            for inode, size in mapped.items():
                shared[inode] = max(size, shared.get(inode, 0))
    return total + max(0, sum(shared.values()) - seen)


def read_lines(path: str) -> list[bytes]:
    """Lines as the kernel ends them. Names of files and processes stand in them, which the watched
    program chooses: they need not be UTF-8, and may hold what str.splitlines takes for an end."""
    return Path(path).read_bytes().removesuffix(b"\n").split(b"\n")


def measure_page_tables(processes: Iterable[int]) -> int:
    """Bytes of the page tables of ``processes``, as far as they can be read."""
    total = 0
    for pid in processes:
        with contextlib.suppress(OSError, ValueError):
            for line in read_lines(f"/proc/{pid}/status"):
                if line.startswith(b"VmPTE:"):
                    total += int(line.split()[1]) << 10
    return total


def _shared(pid: int) -> dict[bytes, int]:
    """Bytes of shared memory without a file that ``pid`` maps, by inode."""
    found: dict[bytes, int] = {}
    with contextlib.suppress(OSError):  # ours to see, but for a process that ends
        for line in filter(None, read_lines(f"/proc/{pid}/maps")):
            span, rights, _, _, inode, *name = line.split(maxsplit=5)
            if rights[3:4] == b"s" and name and name[0].startswith(_SHARED):
                begin, end = span.split(b"-")
                found[inode] = found.get(inode, 0) + int(end, 16) - int(begin, 16)
    return found


def _shared_resident(pid: int) -> int:
    for line in read_lines(f"/proc/{pid}/status"):
        if line.startswith(b"RssShmem:"):
            return int(line.split()[1]) << 10
    return 0
