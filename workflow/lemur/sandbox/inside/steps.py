"""Runs commands over files, compilers and the programs that they make, and says how they ended.

The commands' programs are other processes: they get neither the channel of the verdict nor a way to
this one. The last command is the judged program. What it is made of holds the word that its test
prints at its end, so that it is taken away while it starts: a script is read from a pipe, once, and
a binary is started from a file that has no name any more.

Every program begins with this, so that it imports what is compiled into Python and little else:
``json``, ``signal``, ``subprocess`` and ``threading`` take longer than Python to start.
"""

import _signal
import _thread
import os
import resource
import select
import sys
import time

sys.path.insert(0, "/judge")
import wire
from confine import confine

FOLDER = "/tmp/work"  # noqa: S108 - the sandbox's own
KEPT = 2000  # bytes of what a command wrote last
# What stands in a script's place once it is read: no program of any language, so that one which
# reads its script twice fails whatever it is given.
READ_ONCE = b"<?php )\n"


def run(step, word):
    """``(status, tail, ended)`` of one command; status None: its wall time was over; ended: whether
    it wrote a line that is ``word``."""
    command = step["command"]
    binary = nameless(command[0]) if command[0].startswith("./") else None
    once = os.path.join(FOLDER, step["once"]) if step["once"] else None
    script = take(once) if once else b""
    stream, theirs = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            begin(theirs, command, binary, step["cpu_seconds"])
        except OSError as error:
            os.write(theirs, f"{command[0]} cannot be started: {error}".encode())
        finally:
            os._exit(127)
    os.close(theirs)
    if binary is not None:
        os.close(binary)
    if once:
        _thread.start_new_thread(give, (once, script))
    ends, tail, status = time.monotonic() + step["wall_seconds"], b"\n", None
    line, ended = b"\n" + word.encode() + b"\n", False
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            break
        if select.select([stream], [], [], 0 if status is not None else min(left, 0.2))[0]:
            part = os.read(stream, 65536)
            tail += part
            ended = ended or (bool(word) and line in tail)
            tail = tail[-KEPT:]
            if not part:  # nobody can write any more
                if status is None:
                    status = waited(process, max(0.1, ends - time.monotonic()))
                break
        elif status is None:
            status = waited(process, 0)
        else:  # it ended, and a child that it left behind holds the stream
            break
    os.close(stream)
    if status is None:
        os.kill(process, _signal.SIGKILL)
    try:  # noqa: SIM105
        os.killpg(process, _signal.SIGKILL)
    except ProcessLookupError:
        pass
    if status is None:
        os.waitpid(process, 0)
    return status, tail.removeprefix(b"\n").decode("utf-8", "replace"), ended


def begin(stream, command, binary, seconds):
    """Become the command: nothing to read, ``stream`` to write to, a session of its own."""
    os.setsid()
    os.chdir(FOLDER)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores them
        _signal.signal(number, _signal.SIG_DFL)
    limit(seconds)
    if binary is not None:
        os.execve(binary, command, os.environ)  # noqa: S606 - the judged program
    os.execv(command[0], command)  # noqa: S606


def waited(process, seconds):
    """Exit status of a child (-n: ended by signal n) within ``seconds``, None while it runs."""
    until = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            return None
        time.sleep(0.001)


def nameless(name):
    """An open binary that no path leads to any more."""
    path = os.path.join(FOLDER, name)
    number = os.open(path, os.O_RDONLY)
    os.unlink(path)
    return number


def take(path):
    """The text of a script, with a pipe put in its place."""
    with open(path, "rb") as file:
        text = file.read()
    os.unlink(path)
    os.mkfifo(path)
    return text


def give(path, text):
    """Write the script to the first who opens it; whoever opens it later finds READ_ONCE."""
    number = os.open(path, os.O_WRONLY)
    with open(path + ".read", "wb") as file:
        file.write(READ_ONCE)
    os.rename(path + ".read", path)
    try:
        while text:
            text = text[os.write(number, text) :]
    except BrokenPipeError:  # it was not read to its end
        pass
    os.close(number)


def limit(seconds):
    """Processor time of one command; this process has none of it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def spent():
    """Processor seconds of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def received(channel, length):
    """So many bytes, fewer where the other side is gone."""
    parts = []
    while length > 0 and (part := os.read(channel, min(length, 1 << 20))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def main():
    channel = int(os.environ.pop("LEMUR_CHANNEL"))
    os.set_inheritable(channel, False)
    length = int.from_bytes(received(channel, 8), "big")
    job = wire.loads(received(channel, length).decode("utf-8", "surrogatepass"))
    confine(job["confine"])
    os.mkdir(FOLDER)
    for name, text in job["files"].items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    report = {}
    for number, step in enumerate(job["steps"]):
        for name in step["gone"]:
            path = os.path.join(FOLDER, name)
            if os.path.exists(path):
                os.unlink(path)
        os.write(channel, b"\n")  # whoever watches counts from now on
        before = spent()
        status, tail, ended = run(step, step["word"])
        # A shell whose child met the limit ends with a status of its own; the kernel counts the
        # limit by ticks, and so a little early.
        over = spent() - before > step["cpu_seconds"] - 0.3
        report = {"step": number, "status": status, "tail": tail, "over": over, "ended": ended}
        if status != 0:
            break
    report = wire.dumps(report).encode() + b"\0"
    while report:
        report = report[os.write(channel, report) :]
    # Its folders are looked at once more before the verdict counts, and they end with this process.
    os.read(channel, 1)


main()
