"""What a confined program sees and may use, as bubblewrap's arguments.

The root is an allow-list: one Python interpreter with its standard library, the system's shared
libraries, time zones, and a few files of ``inside/``. No home, no /run, no /proc, no network, no
socket of the host.
"""

import dataclasses
import functools
import sys
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
PYTHON = "/python"
ZONES = "/usr/share/zoneinfo"
# Variables of Python are heeded (there are no others than those set here), since the order of a set
# depends on PYTHONHASHSEED, which ``-I`` passes over. The rest of what ``-I`` does stays.
ISOLATED = ("-s", "-P", "-B")
# What a script of ``inside/`` imports beside ``confine`` and ``wire``.
_VALUES = ("values.py", "standard.py", "arrays.py", "matrices.py", "tensors.py", "frames.py")
_VALUES += ("times.py", "randomness.py")
# Python's own values that are no containers: read only where a program has such.
_STANDARD = ("values.py", "standard.py")
PARTS = {
    "runner.py": _STANDARD,
    "checker.py": ("forks.py", *_STANDARD),
    "tester.py": ("forks.py", "absent.py", *_VALUES),
    "solver.py": _VALUES,
    "session.py": (),
    "geometry.py": (),
    "functions.py": (),
}


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds of one program and all that it starts."""

    wall_seconds: float = 15.0
    cpu_seconds: int = 5  # of a process, and of the whole tree
    memory_mb: int = 1024  # address space of a process, and resident memory of the whole tree
    # Threads count too. Programs ask for pools of dozens, and by default for one worker a core.
    processes: int = 128
    file_mb: int = 16  # one file
    tmp_mb: int = 64  # all files of /tmp, and as much again of /dev/shm
    files: int = 16384  # in each of these: an empty one takes a kilobyte of the kernel's memory
    open_files: int = 64


@dataclasses.dataclass(frozen=True)
class Root:
    """What else is let in, for one language or one environment: (path of the host, path inside)
    read-only, links made inside as (target, path), and variables. A path that is a link stays one.
    """

    paths: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    def arguments(self) -> list[str]:
        """bubblewrap's arguments."""
        made: list[str] = []
        for _, inside in (*self.paths, *self.links):
            for parent in reversed(Path(inside).parents[:-1]):
                made += ["--perms", "0755", "--dir", str(parent)]
        for target, inside in self.links:
            made += ["--symlink", target, inside]
        for outside, inside in self.paths:
            if Path(outside).is_symlink():
                made += ["--symlink", str(Path(outside).readlink()), inside]
            else:
                made += ["--ro-bind", outside, inside]
        for name, value in self.environment:
            made += ["--setenv", name, value]
        return made


PLAIN = Root()


@functools.cache
def mount_interpreter() -> list[str]:
    """Arguments that mount the running interpreter's base at ``/python``, without site-packages."""
    base = Path(sys.base_prefix)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    arguments = ["--ro-bind", str((base / "bin" / name).resolve()), f"{PYTHON}/bin/{name}"]
    library = base / "lib" / name
    arguments += ["--ro-bind", str(library), f"{PYTHON}/lib/{name}"]
    for shared in sorted((base / "lib").glob("libpython*.so*")):
        arguments += ["--ro-bind", str(shared.resolve()), f"{PYTHON}/lib/{shared.name}"]
    for hidden in ("site-packages", "dist-packages"):
        if (library / hidden).is_dir():
            arguments += ["--tmpfs", f"{PYTHON}/lib/{name}/{hidden}"]
            arguments += ["--remount-ro", f"{PYTHON}/lib/{name}/{hidden}"]
    return arguments


@functools.cache
def mount_libraries() -> list[str]:
    """Arguments that mount the folders of shared libraries, and of time zones where there are any,
    read-only, links kept as links."""
    arguments: list[str] = []
    for folder in ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/nix/store", ZONES):
        path = Path(folder)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), folder]
        elif path.is_dir():
            arguments += ["--ro-bind", folder, folder]
    for cache in ("/etc/ld.so.cache",):
        if Path(cache).is_file():
            arguments += ["--ro-bind", cache, cache]
    return arguments


def build_command(
    bwrap: str, script: str, limits: Limits, *, user_namespace: bool, root: Root = PLAIN
) -> list[str]:
    """bubblewrap's command line for ``inside/<script>``; ``root`` is let in beside it.

    With ``user_namespace`` an unprivileged caller becomes nobody in a namespace of its own;
    without it bubblewrap is called by root and keeps just the right to change to another user,
    which ``inside/confine.py`` does first of all: limits on processes do not bind root.
    """
    size = str(limits.tmp_mb * 2**20)
    arguments = [bwrap, "--die-with-parent", "--new-session"]
    arguments += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--hostname", "sandbox"]
    if user_namespace:
        arguments += ["--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    else:
        arguments += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    folders = ("/usr", "/usr/share", "/etc", "/nix", PYTHON, f"{PYTHON}/bin", f"{PYTHON}/lib")
    for folder in (*folders, "/judge"):
        # bubblewrap's own parents of a mount can be entered by their owner alone.
        arguments += ["--perms", "0755", "--dir", folder]
    arguments += mount_libraries() + mount_interpreter()
    for name in ("confine.py", "wire.py", *PARTS.get(script, ()), script):
        arguments += ["--ro-bind", str(INSIDE / name), f"/judge/{name}"]
    arguments += ["--dev", "/dev"]
    for folder in ("/tmp", "/dev/shm"):  # noqa: S108 - the sandbox's own
        arguments += ["--perms", "1777", "--size", size, "--tmpfs", folder]
    environment = {
        "HOME": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": f"{PYTHON}/lib",
        # Each thread reserves address space for an arena of its own otherwise.
        "MALLOC_ARENA_MAX": "2",
        "PATH": f"{PYTHON}/bin",
        "PYTHONHASHSEED": "0",
    }
    arguments.append("--clearenv")
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    arguments += root.arguments()
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/"]
    arguments += ["--chdir", "/tmp"]  # noqa: S108
    python = f"{PYTHON}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    return [*arguments, "--", python, *ISOLATED, "-S", f"/judge/{script}"]
