"""First thing inside: become a user without rights and set limits that cannot be raised again."""

import os
import resource


def confine(settings):
    """``settings``: user (None: already another user), cpu_seconds, memory_mb, processes, ..."""
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
        resource.RLIMIT_NPROC: settings["processes"],
        resource.RLIMIT_NOFILE: settings["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, bound if isinstance(bound, tuple) else (bound, bound))
