"""Memory of pipes and sockets, seen from outside, where no cgroup counts it.

The kernel tells no process's share of it: only what waits in sockets of the internet, of a network
namespace, and what the whole machine has lost. A tree of processes is charged with what the machine
has lost since it began, no more than its own pipes and sockets can hold, and no less than what is
seen to wait in them.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from lemur.sandbox.memory import read_lines

# Of /proc/meminfo: what belongs to processes or files, or is counted by process (page tables).
_OWNED = ("MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "SReclaimable", "PageTables")
_OWNED += ("Hugetlb", "Balloon")
_INTERNET = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6")


def measure_lost() -> int:
    """Bytes of the machine's memory that no process or file has: the kernel's own, with the buffers
    of pipes and sockets. Pages that are kept ready for each processor, hundreds of megabytes where
    much was given back, are as free as others."""
    shown = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, size = line.split()[:2]
        shown[name.rstrip(":")] = int(size) << 10
    ready = 0  # pages
    with contextlib.suppress(OSError):
        for line in read_lines("/proc/zoneinfo"):
            if line.lstrip().startswith(b"count:"):
                ready += int(line.split()[1])
    owned = sum(shown.get(name, 0) for name in _OWNED)
    return shown["MemTotal"] - owned - ready * os.sysconf("SC_PAGE_SIZE")


def bound_buffers(first: int, processes: Iterable[int]) -> tuple[int, int]:
    """(what waits in the sockets of the internet, what all pipes and sockets can hold at most), in
    bytes, of ``processes`` that share the network namespace of the process ``first``. Those that no
    process has open, since they travel through another one, count if they are sockets."""
    pipes: set[str] = set()
    for pid in processes:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if (target := os.readlink(entry.path)).startswith("pipe:"):
                        pipes.add(target)
    waiting = internet = 0
    for name in _INTERNET:
        for line in _read_table(first, name):
            sent, received = line.split()[4].split(b":")
            waiting += int(sent, 16) + int(received, 16)
            internet += 1
    local = len(_read_table(first, "unix"))
    core = "/proc/sys/net/core/"
    # The kernel doubles what a program asks for: half is for its own records of the data.
    either = 2 * max(_setting(core + "wmem_max"), _setting(core + "rmem_max"))
    ipv4 = "/proc/sys/net/ipv4/"
    both = max(either, _setting(ipv4 + "tcp_wmem")) + max(either, _setting(ipv4 + "tcp_rmem"))
    most = len(pipes) * _setting("/proc/sys/fs/pipe-max-size") + local * either + internet * both
    return waiting, most


def _read_table(pid: int, name: str) -> list[bytes]:
    """Lines of a table of sockets below its heading, none where it cannot be read."""
    with contextlib.suppress(OSError):
        return read_lines(f"/proc/{pid}/net/{name}")[1:]
    return []


def _setting(path: str) -> int:
    """The last number of a setting of the kernel."""
    return int(Path(path).read_text().split()[-1])
