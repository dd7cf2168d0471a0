"""First thing inside: become a user without rights and set limits that cannot be raised again."""

import os
import resource


def confine(settings):
    """``settings``: user (None: already another user), cpu_seconds, memory_mb, processes, ..."""
    passed = os.environ.pop("LEMUR_CONFINE", None)
    others = below_apptainer(bytes.fromhex(passed)) if passed is not None else 0
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):  # bubblewrap's own errors are past; nobody reads what comes now
        os.dup2(nowhere, number)
    os.close(nowhere)
    user = settings["user"]
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    cpu = settings["cpu_seconds"]
    bounds = {
        resource.RLIMIT_CPU: (cpu, cpu + 1),
        resource.RLIMIT_AS: settings["memory_mb"] << 20,
        resource.RLIMIT_FSIZE: settings["file_mb"] << 20,
        resource.RLIMIT_NPROC: settings["processes"] + others,
        resource.RLIMIT_NOFILE: settings["open_files"],
        resource.RLIMIT_CORE: 1,  # none; with 0 the kernel still starts a program that takes dumps
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, bound if isinstance(bound, tuple) else (bound, bound))


def below_apptainer(passed):
    """What bubblewrap does and apptainer does not: a clean environment, no open file but those that
    were given, no way to further rights, and the filter of system calls. Returns how many threads
    of apptainer itself count among the processes of this user."""
    import ctypes
    import json

    passed = json.loads(passed)
    os.environ.clear()
    os.environ.update(passed["environment"])
    kept = {0, 1, 2, *passed["files"]}
    for number in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        if number > 4096:
            break
        if number not in kept:
            try:
                os.close(number)
            except OSError:
                continue
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if passed["seccomp"] is not None:
        code = bytes.fromhex(passed["seccomp"])

        class Program(ctypes.Structure):
            _fields_ = (("lines", ctypes.c_ushort), ("code", ctypes.c_char_p))

        program = Program(len(code) // 8, code)
        if libc.prctl(22, 2, ctypes.byref(program), 0, 0) != 0:  # PR_SET_SECCOMP, a filter
            raise OSError(ctypes.get_errno(), "seccomp")
    return passed["threads"]
