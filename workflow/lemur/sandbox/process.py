"""One confined process: started, watched and ended with all that it started."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from lemur.sandbox import seccomp
from lemur.sandbox.policy import PLAIN, Limits, Root, command


def resident(pid: int) -> int:
    """Resident bytes of ``pid`` and all its descendants, as far as they can still be read."""
    total, queue, page = 0, [pid], os.sysconf("SC_PAGE_SIZE")
    while queue:
        one = queue.pop()
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page
            for task in os.listdir(f"/proc/{one}/task"):
                children = Path(f"/proc/{one}/task/{task}/children").read_text()
                queue += [int(child) for child in children.split()]
        except (OSError, IndexError, ValueError):
            continue
    return total


class Confined:
    """A script of ``inside/`` in a sandbox of its own.

    ``files`` maps a name of the environment to an open file that the script gets; ``stdin`` is
    what it reads first. As a context manager it leaves nothing running.
    """

    def __init__(
        self,
        bwrap: str,
        script: str,
        limits: Limits,
        *,
        user_namespace: bool,
        files: dict[str, int],
        stdin: int = subprocess.DEVNULL,
        root: Root = PLAIN,
    ):
        arguments = command(bwrap, script, limits, user_namespace=user_namespace, root=root)
        split = arguments.index("--")
        info_read, info_write = os.pipe()
        passed = [info_write, *files.values()]
        extra = ["--info-fd", str(info_write)]
        filtered = seccomp.program()
        if filtered is not None:
            bpf = os.memfd_create("seccomp")
            os.write(bpf, filtered)
            os.lseek(bpf, 0, os.SEEK_SET)
            passed.append(bpf)
            extra += ["--seccomp", str(bpf)]
        for name, number in files.items():
            extra += ["--setenv", name, str(number)]
        try:
            self.process = subprocess.Popen(
                [*arguments[:split], *extra, *arguments[split:]],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                env={},
                cwd="/",
            )
        except BaseException:
            os.close(info_read)
            raise
        finally:
            os.close(info_write)
            if filtered is not None:
                os.close(bpf)
        with os.fdopen(info_read) as info:
            text = info.read()  # ends when bubblewrap has written it, or has failed
        self.first: int | None = None  # process 1 of the sandbox, as the host numbers it
        with contextlib.suppress(ValueError):
            self.first = json.loads(text)["child-pid"]

    def __enter__(self) -> "Confined":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def resident(self) -> int:
        """Resident bytes of everything inside."""
        return resident(self.process.pid)

    def kill(self) -> None:
        """Kill what still runs: the kernel ends a process namespace with its process 1."""
        if self.first is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.first, signal.SIGKILL)

    def end(self) -> int:
        """Kill what still runs and wait until it is gone; status."""
        if self.first is not None and self.process.poll() is None:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()
        return status

    def status(self, seconds: float) -> int | None:
        """Exit status within ``seconds`` (128 + n: ended by signal n), None while it runs."""
        until = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.001)
        return self.process.poll()
