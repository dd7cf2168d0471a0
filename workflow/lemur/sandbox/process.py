"""One confined process: started, watched and ended with all that it started."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from lemur.sandbox import apptainer, cgroup, seccomp
from lemur.sandbox.buffers import bound_buffers, measure_lost
from lemur.sandbox.memory import find_children, list_tree, measure_page_tables, measure_resident
from lemur.sandbox.policy import PLAIN, Limits, Root, build_command
from lemur.sandbox.processor import ProcessorTime
from lemur.sandbox.types import Sandbox


class Confined:
    """A script of ``inside/`` in a sandbox of its own.

    ``files`` maps a name of the environment to an open file that the script gets; ``stdin`` is
    what it reads first. As a context manager it leaves nothing running.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        script: str,
        limits: Limits,
        *,
        files: dict[str, int],
        stdin: int = subprocess.DEVNULL,
        root: Root = PLAIN,
    ):
        self._first: int | None = None
        self._least: int | None = None  # what the machine had lost when it had lost least
        self._time = ProcessorTime()
        self._used = 0.0  # processor seconds before those that count
        self.watched = sandbox.tool == "apptainer"
        self.process: subprocess.Popen[bytes] | None = None
        self.group = cgroup.make_group()
        try:
            namespace = sandbox.user_namespace
            if self.watched:
                line = apptainer.build_command(
                    sandbox.bwrap, script, files, user_namespace=namespace, root=root
                )
                self._open(line, list(files.values()), stdin, apptainer.ENVIRONMENT)
            else:
                line = build_command(
                    sandbox.bwrap, script, limits, user_namespace=namespace, root=root
                )
                self._bubblewrap(line, files, stdin)
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        """Leave nothing behind of what did not come to run."""
        if self.process is not None:
            self.end()
        elif self.group is not None:
            self.group.close()

    def _open(
        self, line: list[str], passed: list[int], stdin: int, environment: dict[str, str]
    ) -> None:
        self.process = subprocess.Popen(
            line if self.group is None else self.group.wrap_command(line),
            stdin=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=passed,
            env=environment,
            cwd="/",
            start_new_session=True,  # of no terminal: apptainer does not part from it
        )

    def _bubblewrap(self, arguments: list[str], files: dict[str, int], stdin: int) -> None:
        split = arguments.index("--")
        with contextlib.ExitStack() as opened:
            info_read, info_write = os.pipe()
            info = opened.enter_context(os.fdopen(info_read))
            with contextlib.ExitStack() as theirs:
                theirs.callback(os.close, info_write)
                filters, filtering = seccomp.open_filter(theirs)
                passed = [info_write, *files.values(), *filters]
                extra = ["--info-fd", str(info_write), *filtering]
                for name, number in files.items():
                    extra += ["--setenv", name, str(number)]
                self._open([*arguments[:split], *extra, *arguments[split:]], passed, stdin, {})
            text = info.read()  # ends when bubblewrap has written it, or has failed
        with contextlib.suppress(ValueError):
            self._first = json.loads(text)["child-pid"]

    def __enter__(self) -> "Confined":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(self) -> None:
        """The first look, before it has seen a program: what it has used until now is not the
        program's."""
        self.measure_kernel_memory(self.list_processes())
        self.begin_count()

    def begin_count(self) -> None:
        """Count processor time from now on."""
        self._used = self._time.measure(self.list_processes())

    def list_processes(self) -> list[int]:
        """Everything inside, and bubblewrap itself; not apptainer's own processes outside."""
        if not self.watched:
            return list_tree([self.process.pid])
        return list_tree(find_children(self.first or self.process.pid))

    def measure_kernel_memory(self, processes: list[int]) -> int:
        """Bytes that the kernel holds for what is inside: what its cgroup counts, if it has entered
        it; else what the machine has lost since it had lost least, as far as it can be in the pipes
        and sockets inside. Page tables are counted in both cases, since not every cgroup does."""
        tables = measure_page_tables(processes)
        if self.group is not None and not self.group.is_empty():
            return max(tables, self.group.read_kernel_memory() or 0)
        now = measure_lost()
        self._least = now if self._least is None else min(now, self._least)
        waiting, most = bound_buffers(self.first or self.process.pid, processes)
        return tables + max(waiting, min(now - self._least, most))

    def exceeded(self, limits: Limits) -> str | None:
        """The limit that everything inside has passed together, if any."""
        processes = self.list_processes()
        if self._time.measure(processes) - self._used > limits.cpu_seconds:
            return "processor"
        held = measure_resident(processes) + self.measure_kernel_memory(processes)
        if held > limits.memory_mb << 20:
            return "out of memory"
        return self.overfull(limits)

    def overfull(self, limits: Limits) -> str | None:
        """Whether there is more in /tmp and /dev/shm than there may be. How many files the kernel
        bounds by the host's memory alone; how many bytes it refuses itself in bubblewrap's mounts,
        while apptainer's have a size of their own or none."""
        for process in self._inside():
            for folder in apptainer.WRITABLE:
                with contextlib.suppress(OSError):
                    shown = os.statvfs(f"/proc/{process}/root{folder}")
                    held = (shown.f_blocks - shown.f_bfree) * shown.f_frsize
                    if held > limits.tmp_mb << 20 or shown.f_files - shown.f_ffree > limits.files:
                        return "full"
        return None

    def _inside(self) -> list[int]:
        """Processes that see the sandbox's own folders. One that is still prepared has the host's root.

        What the kernel lists as children misses some while others end: it is read again.
        """
        for _ in range(3):
            first = self.first
            places = [] if first is None else find_children(first) if self.watched else [first]
            inside = [
                place for place in places if os.path.exists(f"/proc/{place}/root/judge/wire.py")
            ]
            if inside or not self.watched:
                return inside
            time.sleep(0.002)
        return []

    @property
    def first(self) -> int | None:
        """Process 1 of the sandbox, as the host numbers it: with it all inside ends. apptainer does
        not tell it, so that it is looked for."""
        queue = [self.process.pid] if self.watched and self._first is None else []
        while queue:
            process = queue.pop()
            with contextlib.suppress(OSError):
                # A process chooses its name, which stands here too: bytes that are no UTF-8 or that
                # str.splitlines would take for the end of a line. The kernel ends lines with \n.
                status = Path(f"/proc/{process}/status").read_bytes().split(b"\n")
                line = next(line for line in status if line.startswith(b"NSpid:"))
                if line.split()[-1] == b"1":
                    self._first = process
                    break
            queue += find_children(process)
        return self._first

    def kill(self) -> None:
        """Kill what still runs: the kernel ends a process namespace with its process 1."""
        if self.process.poll() is not None:
            return
        if self.watched:  # its keeper ends it before it has a process 1, too
            self.process.terminate()
        elif self._first is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._first, signal.SIGKILL)

    def end(self) -> int:
        """Kill what still runs and wait until it is gone; status."""
        if (self.watched or self._first is not None) and self.process.poll() is None:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()
        if self.group is not None:
            self.group.close()
        return status

    def status(self, seconds: float) -> int | None:
        """Exit status within ``seconds`` (128 + n: ended by signal n), None while it runs."""
        until = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        return self.process.poll()
