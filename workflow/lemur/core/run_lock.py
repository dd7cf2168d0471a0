"""One run at a time in a folder: the lock that ``make`` and plain ``snakemake`` share.

Snakemake's own lock is files that outlive a killed process (``profiles/default`` turns it off). This
one is the kernel's, on ``.snakemake/run.lock``: it ends with the process that holds it, so that a
killed run continues with the same command, and with no other. Jobs hold a second one, shared, for
what a killed Snakemake leaves running.
"""

import contextlib
import os
import select
import signal
import threading
import time
from pathlib import Path

from lemur.core.errors import UserError
from lemur.core.lock import try_lock
from lemur.core.log import logger

FOLDER = Path(".snakemake")
RUN = "LEMUR_RUN"  # a job's: process id of the Snakemake that started it
PATIENCE = 30.0  # seconds that jobs of a killed run have to end
# What Snakemake's shell does before each job. Without flock (util-linux) jobs hold no lock.
PREFIX = (
    "set -euo pipefail; export LEMUR_RUN=$PPID; exec 9>>.snakemake/jobs.lock; "
    "{ ! command -v flock >/dev/null || flock --shared --nonblock 9 || true; }; "
)


class RunLock:
    """The lock of the current folder. Created when a run is planned, taken when it begins."""

    def __init__(self) -> None:
        self.path = FOLDER / "run.lock"
        self.before = self._last_change()
        self.taken = False

    def _holder(self) -> str:
        """What the last holder wrote: its process id, or nothing where it ended by itself."""
        try:
            return self.path.read_text()
        except FileNotFoundError:
            return ""

    def _last_change(self) -> tuple[str, int] | None:
        """What a run that begins or ends changes: the text and its time, which a run that did both
        has changed too. None where there never was a run."""
        try:
            return self._holder(), self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def take(self) -> int:
        """Take the lock until this process ends and return its file; ``UserError`` where it is held,
        or where another run ended since this one was planned."""
        self.path.parent.mkdir(exist_ok=True)
        first = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if not try_lock(file):
            raise UserError(
                f"another run works in this folder (process {self._holder() or 'unknown'}): "
                "wait for it or stop it"
            )
        if not first and self._last_change() != self.before:
            raise UserError("another run worked in this folder meanwhile: give the command again")
        os.truncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        self.taken = True
        _wait_for_jobs()
        return file

    def release(self) -> None:
        """Say that the run ended by itself. The lock itself ends with the process."""
        if self.taken:
            with contextlib.suppress(OSError):
                os.truncate(self.path, 0)


def _wait_for_jobs() -> None:
    """Wait for the jobs of a run that was killed; ``UserError`` where they do not end."""
    with open(FOLDER / "jobs.lock", "a") as file:
        deadline = time.monotonic() + PATIENCE
        while not try_lock(file):
            if deadline - time.monotonic() > PATIENCE - 0.1:
                logger.info("waiting for jobs of a run that was killed")
            if time.monotonic() > deadline:
                named = ", ".join(_holding(FOLDER / "jobs.lock")) or "unknown"
                raise UserError(
                    f"jobs of a run that was killed still work in this folder (processes {named}): "
                    "wait for them or end them"
                )
            time.sleep(0.2)


def _holding(path: Path) -> list[str]:
    """Processes of this user that have a file open."""
    whole, found = str(path.resolve()), []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(os.readlink(link) == whole for link in (folder / "fd").iterdir()):
                found.append(folder.name)
    return sorted(set(found) - {str(os.getpid())}, key=int)


_run = ""  # what RUN was before it was taken out of the environment


def started_by() -> str | None:
    """Process id of the Snakemake that started this job, as text; None where none did."""
    return _run or os.environ.get(RUN) or None


def end_with_run() -> None:
    """In a job of a local run: end by SIGTERM as soon as the Snakemake that started it is gone.

    Training then saves a checkpoint. Elsewhere, also in a SLURM job, nothing is done.
    """
    global _run
    _run = number = os.environ.pop(RUN, "")
    if not number.isdigit() or threading.current_thread() is not threading.main_thread():
        return
    try:
        run = os.pidfd_open(int(number))
    except ProcessLookupError:  # it ended before its job got here
        os.kill(os.getpid(), signal.SIGTERM)
        return
    except OSError:  # a system without pidfd
        return

    def watch() -> None:
        waiting = select.poll()
        waiting.register(run, select.POLLIN)
        waiting.poll()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
