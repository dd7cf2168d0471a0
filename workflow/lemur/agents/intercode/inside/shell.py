"""Runs one command on a root folder that is made anew, and says what it printed and left behind.

The root is an empty file system in memory. Its content comes over the channel before the command
starts and goes back when it has ended, together with all that it has started.
"""

import _signal
import _socket
import os
import resource
import select
import stat
import sys
import time

sys.path.insert(0, "/run/judge")
import wire

LEFT_BEHIND = 0.5  # seconds for what a command has started in the background and not waited for


class Full(Exception):
    """More files or bytes than are carried."""


def unpack(entries, data):
    """Make the files of ``entries``, whose contents follow each other in ``data``."""
    os.umask(0)
    folders, start = [], 0
    for entry in entries:
        path, kind = "/" + entry["path"], entry["kind"]
        if kind == "folder":
            if not os.path.isdir(path):
                os.mkdir(path)
            folders.append(entry)
            continue
        if kind == "link":
            os.symlink(entry["target"], path)
        elif kind == "same":
            os.link("/" + entry["target"], path, follow_symlinks=False)
        elif kind == "pipe":
            os.mkfifo(path, entry["mode"])
        else:
            with open(path, "xb") as file:
                file.write(data[start : start + entry["size"]])
            start += entry["size"]
            os.chmod(path, entry["mode"])
        os.utime(path, ns=(entry["mtime"], entry["mtime"]), follow_symlinks=False)
    for entry in reversed(folders):
        os.chmod("/" + entry["path"], entry["mode"])
        os.utime("/" + entry["path"], ns=(entry["mtime"], entry["mtime"]))
    os.umask(0o022)


def pack(skipped, most_files, most_bytes):
    """``(entries, contents)`` of everything under / but ``skipped``, in the order of names."""
    entries, contents, seen, held = [], [], {}, 0
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        for name in sorted(names(folder), reverse=True):
            path = f"{folder}/{name}".lstrip("/")
            if path in skipped:
                continue
            if len(entries) + len(waiting) >= most_files:
                raise Full
            waiting.append(path)
        if not folder:
            continue
        seen_as = os.lstat("/" + folder)
        mode = stat.S_IMODE(seen_as.st_mode)
        entry = {"path": folder, "mode": mode, "mtime": seen_as.st_mtime_ns, "kind": "file"}
        if stat.S_ISDIR(seen_as.st_mode):
            entry["kind"] = "folder"
        elif stat.S_ISLNK(seen_as.st_mode):
            entry["kind"], entry["target"] = "link", os.readlink("/" + folder)
        elif seen_as.st_ino in seen:
            entry["kind"], entry["target"] = "same", seen[seen_as.st_ino]
        elif stat.S_ISFIFO(seen_as.st_mode):
            entry["kind"] = "pipe"
        elif stat.S_ISREG(seen_as.st_mode):
            held += seen_as.st_size
            if held > most_bytes:
                raise Full
            contents.append(content("/" + folder, mode))
            entry["size"] = len(contents[-1])
            seen[seen_as.st_ino] = folder
        else:
            continue
        entries.append(entry)
    return entries, contents


def names(folder):
    """What a folder holds, also one that its owner may not read; nothing where it is no folder."""
    path = "/" + folder
    seen = os.lstat(path)
    if not stat.S_ISDIR(seen.st_mode):
        return []
    wanted = stat.S_IMODE(seen.st_mode) | 0o700
    if wanted == stat.S_IMODE(seen.st_mode):
        return os.listdir(path)
    os.chmod(path, wanted)  # for good: what lies below must be read, and entries keep the true mode
    RESTRICTED[folder] = stat.S_IMODE(seen.st_mode)
    return os.listdir(path)


RESTRICTED = {}


def content(path, mode):
    """The bytes of a file, also of one that its owner may not read."""
    if not mode & 0o400:
        os.chmod(path, mode | 0o400)
    with open(path, "rb") as file:
        return file.read()


def begin(stream, job):
    """In the child: become the command."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    os.setsid()
    os.chdir(job["folder"])
    for kind, bound in (
        (resource.RLIMIT_CPU, job["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, job["file_bytes"]),
        (resource.RLIMIT_NPROC, job["processes"]),
        (resource.RLIMIT_NOFILE, job["open_files"]),
        (resource.RLIMIT_AS, job["address_bytes"]),
        (resource.RLIMIT_CORE, 1),
    ):
        resource.setrlimit(kind, (bound, bound))
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them
        _signal.signal(number, _signal.SIG_DFL)
    os.execvpe(job["command"][0], job["command"], job["environment"])  # noqa: S606


def run(job):
    """``(status, printed)``: status None where time or the bound on output was over."""
    stream, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            begin(theirs, job)
        except NotADirectoryError:
            os._exit(252)
        except FileNotFoundError as error:
            os._exit(253 if error.filename == job["folder"] else 254)
        except BaseException:
            os._exit(255)
    os.close(theirs)
    ends, parts, size, status = time.monotonic() + job["wall_seconds"], [], 0, None
    while time.monotonic() < ends and size <= job["output_bytes"]:
        wait = min(0.02, max(0, ends - time.monotonic()))
        if select.select([stream], [], [], wait)[0]:
            part = os.read(stream, 1 << 16)
            if part:
                parts.append(part)
                size += len(part)
                continue
            break  # nobody can write any more
        if status is not None:
            continue  # what it left behind holds the stream, and has a moment left
        ended, raised = os.waitpid(child, os.WNOHANG)
        if ended:
            status, ends = raised, min(ends, time.monotonic() + LEFT_BEHIND)
    if status is None and size <= job["output_bytes"]:
        while time.monotonic() < ends:
            ended, raised = os.waitpid(child, os.WNOHANG)
            if ended:
                status = raised
                break
            time.sleep(0.002)
    return status, b"".join(parts)


def end_all():
    """Kill everything that is not this process or the first one, forks in the middle included."""
    for _ in range(200):
        try:
            os.kill(-1, _signal.SIGKILL)
        except ProcessLookupError:
            return
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.001)


def main():
    channel = int(os.environ["CHANNEL"])
    os.set_inheritable(channel, False)
    job = wire.receive(channel)
    data = wire._exactly(channel, sum(entry.get("size", 0) for entry in job["entries"]))
    unpack(job["entries"], data)
    status, printed = run(job)
    end_all()
    reply = {"status": None if status is None else os.waitstatus_to_exitcode(status)}
    reply |= {"printed": len(printed), "full": False}
    try:
        entries, contents = pack(set(job["skipped"]), job["most_files"], job["most_bytes"])
        for entry in entries:
            if entry["path"] in RESTRICTED:
                entry["mode"] = RESTRICTED[entry["path"]]
    except (Full, OSError):
        entries, contents, reply["full"] = [], [], True
    wire.send(channel, reply | {"entries": entries})
    for part in (printed, *contents):
        left = memoryview(part)
        while left:
            left = left[os.write(channel, left) :]
    # Who started the sandbox holds the channel until it is taken down: the end is said before that.
    _socket.socket(fileno=channel).shutdown(_socket.SHUT_WR)


main()
