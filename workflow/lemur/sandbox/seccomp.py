"""A seccomp filter that refuses system calls no judged program needs (a second wall).

Classic BPF, assembled here so that no library is needed. The numbers are the kernel's own tables
(``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h``).
"""

import contextlib
import errno
import functools
import os
import platform
import struct

# name: (x86_64, aarch64)
REFUSED = {
    # Memory that outlasts the process that has filled it, under no limit of a process.
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "ptrace": (101, 117),
    "syslog": (103, 116),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "acct": (163, 89),
    "mount": (165, 40),
    "umount2": (166, 39),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "delete_module": (176, 106),
    "quotactl": (179, 60),
    "kexec_load": (246, 104),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mbind": (237, 235),
    "unshare": (272, 97),
    "move_pages": (279, 239),
    "perf_event_open": (298, 241),
    "fanotify_init": (300, 262),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "setns": (308, 268),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "finit_module": (313, 273),
    "kexec_file_load": (320, 294),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442),
    "quotactl_fd": (443, 443),
}
SOCKET = (41, 198)
# Families that a namespace of its own confines: AF_VSOCK reaches the hypervisor.
UNIX, INET, INET6 = 1, 2, 10
CLONE = (56, 220)
CLONE3 = (435, 435)
NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW{CGROUP,UTS,IPC,USER,PID,NET,NS} and CLONE_NEWTIME
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def _refuse(number: int) -> int:
    return 0x00050000 | number


@functools.cache
def build_filter(machine: str | None = None) -> bytes | None:
    """The filter for ``machine`` (default: this one), or None where its numbers are not known."""
    if (machine or platform.machine()) not in MACHINES:
        return None
    column, architecture = MACHINES[machine or platform.machine()]
    code: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
        (_GREATER, 0, 1, 0x40000000),  # the x32 calling convention has other numbers
        (_RETURN, 0, 0, _refuse(errno.EPERM)),
        (_EQUAL, 0, 1, CLONE3[column]),  # its flags lie in memory: let libc fall back to clone
        (_RETURN, 0, 0, _refuse(errno.ENOSYS)),
        (_EQUAL, 0, 4, CLONE[column]),
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 0, 1, NAMESPACES & ~0x80),
        (_RETURN, 0, 0, _refuse(errno.EPERM)),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, 6, SOCKET[column]),
        (_LOAD, 0, 0, 16),
        (_EQUAL, 3, 0, UNIX),
        (_EQUAL, 2, 0, INET),
        (_EQUAL, 1, 0, INET6),
        (_RETURN, 0, 0, _refuse(errno.EPERM)),
        (_RETURN, 0, 0, _ALLOW),
    ]
    for numbers in REFUSED.values():
        code += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _refuse(errno.EPERM))]
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def open_filter(opened: contextlib.ExitStack) -> tuple[list[int], list[str]]:
    """The filter as an open file that ``opened`` closes: the descriptors to pass on to bubblewrap and
    its arguments; none of either where there is no filter for this machine."""
    filtered = build_filter()
    if filtered is None:
        return [], []
    file = os.memfd_create("seccomp")
    opened.callback(os.close, file)
    os.write(file, filtered)
    os.lseek(file, 0, os.SEEK_SET)
    return [file], ["--seccomp", str(file)]
