"""What a tree of processes holds, seen from outside: memory, and memory that nobody has mapped in."""

import contextlib
import os
from pathlib import Path

# Of /proc/PID/maps: memory that belongs to no file, shared by those that map it.
_SHARED = (b"/dev/zero", b"/SYSV", b"/memfd:", b"[anon_shmem")


def children(pid: int) -> list[int]:
    """Processes that ``pid`` started and that have not ended."""
    found: list[int] = []
    with contextlib.suppress(OSError, ValueError):
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def resident(pid: int) -> int:
    """Bytes that ``pid`` and all its descendants hold, as far as they can still be read: what is
    resident, and shared memory whole, which stays when the process that has filled it is gone."""
    total, queue, page = 0, [pid], os.sysconf("SC_PAGE_SIZE")
    seen = 0  # of shared memory, in ``total`` already
    shared: dict[bytes, int] = {}
    while queue:
        one = queue.pop()
        with contextlib.suppress(OSError, IndexError, ValueError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page
            mapped = _shared(one)
            if mapped:
                seen += _shared_resident(one)
            for inode, size in mapped.items():
                shared[inode] = max(size, shared.get(inode, 0))
        queue += children(one)
    return total + max(0, sum(shared.values()) - seen)


def _lines(path: str) -> list[bytes]:
    """Lines as the kernel ends them. Names of files and processes stand in them, which the watched
    program chooses: they need not be UTF-8, and may hold what str.splitlines takes for an end."""
    return Path(path).read_bytes().removesuffix(b"\n").split(b"\n")


def kernel(pid: int) -> tuple[int, int]:
    """Bytes of the page tables of ``pid`` and its descendants, and how many descriptors they have
    open, as far as both can be read."""
    tables, opened, queue = 0, 0, [pid]
    while queue:
        one = queue.pop()
        with contextlib.suppress(OSError, ValueError):
            for line in _lines(f"/proc/{one}/status"):
                if line.startswith(b"VmPTE:"):
                    tables += int(line.split()[1]) << 10
            opened += len(os.listdir(f"/proc/{one}/fd"))
        queue += children(one)
    return tables, opened


# Of /proc/meminfo: what belongs to processes or files, or is counted by process (``kernel``).
_OWNED = ("MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "SReclaimable", "PageTables")
_OWNED += ("Hugetlb", "Balloon")


def lost() -> int:
    """Bytes of the machine's memory that no process or file has: the kernel's own, with the buffers
    of pipes and sockets."""
    shown = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, size = line.split()[:2]
        shown[name.rstrip(":")] = int(size) << 10
    return shown["MemTotal"] - sum(shown.get(name, 0) for name in _OWNED)


def _shared(pid: int) -> dict[bytes, int]:
    """Bytes of shared memory without a file that ``pid`` maps, by inode."""
    found: dict[bytes, int] = {}
    with contextlib.suppress(OSError):  # ours to see, but for a process that ends
        for line in filter(None, _lines(f"/proc/{pid}/maps")):
            span, rights, _, _, inode, *name = line.split(maxsplit=5)
            if rights[3:4] == b"s" and name and name[0].startswith(_SHARED):
                begin, end = span.split(b"-")
                found[inode] = found.get(inode, 0) + int(end, 16) - int(begin, 16)
    return found


def _shared_resident(pid: int) -> int:
    for line in _lines(f"/proc/{pid}/status"):
        if line.startswith(b"RssShmem:"):
            return int(line.split()[1]) << 10
    return 0
