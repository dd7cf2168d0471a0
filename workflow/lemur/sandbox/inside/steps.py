"""Runs commands over files, compilers and the programs that they make, and says how they ended.

The commands' programs are other processes: they get neither the channel of the verdict nor a way to
this one.
"""

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time

sys.path.insert(0, "/judge")
from confine import confine

FOLDER = "/tmp/work"  # noqa: S108 - the sandbox's own
KEPT = 2000  # bytes of what a command wrote last


def run(step):
    """``(status, tail)`` of one command; status None: its wall time was over."""
    process = subprocess.Popen(
        step["command"],
        cwd=FOLDER,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=lambda: limit(step["cpu_seconds"]),
    )
    ends, tail, stream = time.monotonic() + step["wall_seconds"], b"", process.stdout.fileno()
    while True:
        left = ends - time.monotonic()
        if left <= 0:
            status = None
            break
        if select.select([stream], [], [], min(left, 0.2))[0]:
            part = os.read(stream, 65536)
            tail = (tail + part)[-KEPT:]
            if not part:  # nobody can write any more
                try:
                    status = process.wait(max(0.1, ends - time.monotonic()))
                except subprocess.TimeoutExpired:
                    status = None
                break
        elif process.poll() is not None:  # ended, and left a child behind that holds the stream
            status = process.returncode
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return status, tail.decode("utf-8", "replace")


def limit(seconds):
    """Processor time of one command; this process has none of it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def spent():
    """Processor seconds of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    pipe = int(os.environ["LEMUR_VERDICT"])
    os.set_inheritable(pipe, False)
    job = json.loads(sys.stdin.buffer.read())
    confine(job["confine"])
    os.mkdir(FOLDER)
    for name, text in job["files"].items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
    told = {}
    for number, step in enumerate(job["steps"]):
        before = spent()
        status, tail = run(step)
        # A shell whose child met the limit ends with a status of its own; the kernel counts the
        # limit by ticks, and so a little early.
        over = spent() - before > step["cpu_seconds"] - 0.3
        told = {"step": number, "status": status, "tail": tail, "over": over}
        if status != 0:
            break
    with os.fdopen(pipe, "w") as out:
        json.dump(told, out)


main()
