"""The policy as apptainer's arguments: the second tier, where bubblewrap cannot run.

``policy.build_command`` stays the only allow-list. What apptainer cannot do from outside is done by
``inside/confine.py``, which gets the filter of system calls and the environment in one variable, or
by the watch in ``process``: apptainer does not limit /dev/shm, and /tmp only for ordinary users.
"""

import atexit
import csv
import functools
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from lemur.sandbox import seccomp
from lemur.sandbox.policy import PLAIN, Limits, Root
from lemur.sandbox.policy import build_command as policy
from lemur.sandbox.user import draw_user

CONFINE = "LEMUR_CONFINE"
WRITABLE = ("/tmp", "/dev/shm")  # noqa: S108 - inside
# Of apptainer itself, which looks for its helpers; nothing of it is let in.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "GOMAXPROCS": "2"}
KEEPER = Path(__file__).parent / "keeper.py"
THREADS = 24  # of apptainer's process 1 inside, which belongs to the program's user: at most
ALWAYS = ["--containall", "--no-home", "--no-eval", "--no-umask", "--no-privs"]
ALWAYS += ["--net", "--network", "none", "--uts", "--hostname", "sandbox"]
ALWAYS += ["--no-mount", "proc,sys,devpts,hostfs,cwd,bind-paths"]
WORDS = {
    **dict.fromkeys(("--ro-bind", "--symlink", "--setenv"), 2),
    **dict.fromkeys(("--perms", "--dir", "--tmpfs", "--size", "--remount-ro", "--dev"), 1),
    **dict.fromkeys(("--chdir", "--hostname", "--uid", "--gid", "--cap-drop", "--cap-add"), 1),
}


@functools.cache
def _parsed(root: Root) -> tuple[list[tuple[str, ...]], list[str]]:
    """bubblewrap's options as (name, values...) and the command after them, without the script."""
    words = policy("bwrap", "runner.py", Limits(), user_namespace=True, root=root)[1:]
    options: list[tuple[str, ...]] = []
    while words[0] != "--":
        many = WORDS.get(words[0], 0)
        options.append(tuple(words[: 1 + many]))
        words = words[1 + many :]
    return options, words[1:-1]


@functools.cache
def _image(root: Root, pid: int) -> tuple[str, list[str]]:
    """A folder of empty mount points, made once for each process and ``root``, and the arguments
    that fill it."""
    base = Path(tempfile.mkdtemp(prefix="lemur-root-"))
    atexit.register(_remove, base, pid)
    base.chmod(0o755)
    image, empty = base / "image", base / "empty"
    for folder in (image, empty, *(image / name for name in ("tmp", "dev", "etc", "judge"))):
        folder.mkdir(mode=0o755)
    mounts: list[tuple[str, str]] = [
        (str(path), f"/judge/{path.name}")
        for path in sorted((Path(__file__).parent / "inside").glob("*.py"))
    ]
    for name, *values in _parsed(root)[0]:
        if name == "--symlink":
            place = image / values[1].lstrip("/")
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if not place.is_symlink():
                place.symlink_to(values[0])
        elif name == "--ro-bind" and not values[1].startswith("/judge/"):
            mounts.append((os.path.realpath(values[0]), values[1]))
        elif name == "--tmpfs" and values[0] not in WRITABLE:
            mounts.append((str(empty), values[0]))
        elif name == "--dir":
            (image / values[0].lstrip("/")).mkdir(mode=0o755, parents=True, exist_ok=True)
    mounts.append((str(empty), "/dev/mqueue"))  # apptainer's own, which anybody can write
    arguments: list[str] = []
    for number_, (source, target) in enumerate(mounts):
        if not any(target.startswith(f"{earlier}/") for _, earlier in mounts[:number_]):
            _point(image / target.lstrip("/"), Path(source).is_dir())
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(
            ["type=bind", f"source={source}", f"destination={target}", "ro"]
        )
        arguments += ["--mount", text.getvalue()]
    return str(image), arguments


def _point(place: Path, folder: bool) -> None:
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if folder:
        place.mkdir(mode=0o755, exist_ok=True)
    else:
        place.touch(0o644)


def _remove(base: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked process did not make it
        shutil.rmtree(base, ignore_errors=True)


def build_command(
    apptainer: str, script: str, files: dict[str, int], *, user_namespace: bool, root: Root = PLAIN
) -> list[str]:
    """The command line that runs ``inside/<script>`` under the policy for ``root``.

    ``files`` maps names of the environment to open files. An ordinary user is confined in a user
    namespace; root becomes, before anything runs, a user whom no other sandbox has.
    """
    image, mounts = _image(root, os.getpid())
    options, inside = _parsed(root)
    environment = {name: value for kind, name, value in filter(_sets, options)}
    filtered = seccomp.build_filter()
    settings = {
        "threads": THREADS,
        "environment": environment,
        "seccomp": filtered.hex() if filtered is not None else None,
        "files": list(files.values()),
    }
    passed = {name: str(value) for name, value in files.items()}
    passed |= {CONFINE: json.dumps(settings).encode().hex()}
    for name in (
        "LD_LIBRARY_PATH",
        "MALLOC_ARENA_MAX",
        "PYTHONHASHSEED",
    ):  # read before Python runs
        passed[name] = environment[name]
    user = ["--security", "uid:{0},gid:{0}".format(draw_user())]
    if user_namespace:  # there /dev/shm gets a part of /tmp's size, not half of the memory
        user = ["--userns", "--scratch", "/dev/shm"]  # noqa: S108
    arguments = [apptainer, "exec", *ALWAYS, *user, *mounts]
    for name, value in passed.items():
        arguments += ["--env", f"{name}={value}"]
    started = [sys.executable, "-I", "-S", "-B", str(KEEPER), str(os.getpid())]
    return [*started, *arguments, "--pwd", "/tmp", image, *inside, f"/judge/{script}"]  # noqa: S108


def _sets(option: tuple[str, ...]) -> bool:
    return option[0] == "--setenv"
