"""Runs commands over files, compilers and the programs that they make, and says how they ended.

The commands' programs are other processes: they get neither the channel of the verdict nor a way to
this one. The last command is the judged program. What it is made of holds the word that its test
prints at its end, so that it is taken away while it starts: a script is read from a pipe, once, and
a binary is started from a file that has no name any more.
"""

import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, "/judge")
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

    def start():
        limit(step["cpu_seconds"])
        if binary is not None:
            os.execve(binary, command, os.environ)  # noqa: S606 - the judged program

    once = os.path.join(FOLDER, step["once"]) if step["once"] else None
    script = take(once) if once else b""
    process = subprocess.Popen(
        command,
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=start,
    )
    if binary is not None:
        os.close(binary)
    if once:
        threading.Thread(target=give, args=(once, script), daemon=True).start()
    ends, tail, stream = time.monotonic() + step["wall_seconds"], b"\n", process.stdout.fileno()
    line, ended = b"\n" + word.encode() + b"\n", False
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            status = None
            break
        if select.select([stream], [], [], min(left, 0.2))[0]:
            part = os.read(stream, 65536)
            tail += part
            ended = ended or (bool(word) and line in tail)
            tail = tail[-KEPT:]
            if not part:  # nobody can write any more
                try:
                    status = process.wait(max(0.1, ends - time.monotonic()))
                except subprocess.TimeoutExpired:
                    status = None
                break
        elif process.poll() is not None and not select.select([stream], [], [], 0)[0]:
            status = process.returncode  # ended, and left a child behind that holds the stream
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return status, tail.removeprefix(b"\n").decode("utf-8", "replace"), ended


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
    with contextlib.suppress(BrokenPipeError), os.fdopen(number, "wb") as out:
        out.write(text)


def limit(seconds):
    """Processor time of one command; this process has none of it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def spent():
    """Processor seconds of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    channel = socket.socket(fileno=int(os.environ.pop("LEMUR_CHANNEL")))
    channel.set_inheritable(False)
    parts = []
    while part := channel.recv(1 << 20):
        parts.append(part)
    job = json.loads(b"".join(parts))
    confine(job["confine"])
    os.mkdir(FOLDER)
    for name, text in job["files"].items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    told = {}
    for number, step in enumerate(job["steps"]):
        for name in step["gone"]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(FOLDER, name))
        before = spent()
        status, tail, ended = run(step, step["word"])
        # A shell whose child met the limit ends with a status of its own; the kernel counts the
        # limit by ticks, and so a little early.
        over = spent() - before > step["cpu_seconds"] - 0.3
        told = {"step": number, "status": status, "tail": tail, "over": over, "ended": ended}
        if status != 0:
            break
    channel.sendall(json.dumps(told).encode())


main()
