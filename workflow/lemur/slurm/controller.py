"""What SLURM's controller (slurmctld) says of the cluster and of one run's jobs."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from logging import Logger
from typing import TypeVar

T = TypeVar("T")

# SLURM's clients give up after their own time limits; this one is for a controller that hangs.
TIMEOUT = 60.0
# Seconds after which a controller that still does not answer is said again.
REMIND = 600


class NoAnswer(Exception):
    """The controller does not answer now; its text is what SLURM's client said, in one line."""


@dataclass(frozen=True)
class Job:
    """``state`` as squeue's %T has it; ``reason`` (%r): why a pending job waits; ``comment``: %k."""

    state: str
    reason: str
    comment: str = ""


class Contact:
    """Whether the controller answers, as several threads find out, said when that changes."""

    def __init__(self, logger: Logger):
        self._logger = logger
        self._lock = threading.Lock()
        self._silent_since: float | None = None
        self._said_at = 0.0

    @property
    def lost(self) -> bool:
        return self._silent_since is not None

    def ask(self, question: Callable[..., T], *arguments: str) -> T:
        """The answer to a function of this module. Raises NoAnswer, which is noted."""
        try:
            answer = question(*arguments)
        except NoAnswer as error:
            self.note_silence(error)
            raise
        self._note_answer()
        return answer

    def note_silence(self, error: NoAnswer) -> None:
        """Say so once, and again every ten minutes."""
        with self._lock:
            before, now = self._silent_since, time.monotonic()
            first, since = before is None, now if before is None else before
            self._silent_since = since
            if first or now - self._said_at > REMIND:
                self._said_at = now
                long = "" if first else f" for {now - since:.0f} s"
                self._logger.warning(
                    f"SLURM: slurmctld does not answer{long} ({error}): jobs that run go on, new "
                    "ones wait; it is asked again until it does."
                )

    def _note_answer(self) -> None:
        with self._lock:
            if self._silent_since is not None:
                away = time.monotonic() - self._silent_since
                self._silent_since = None
                self._logger.info(f"SLURM: slurmctld answers again after {away:.0f} s.")


def configuration() -> dict[str, str]:
    """``scontrol show config`` by key. Raises NoAnswer."""
    said = _ask(["scontrol", "show", "config"])
    return dict(re.findall(r"^(\w+) *= ?(.*?) *$", said, re.MULTILINE))


def described(values: dict[str, str]) -> str:
    """One line about a cluster from ``configuration()``."""
    kind = values.get("AccountingStorageType", "").rpartition("/")[2]
    accounting = "no accounting" if kind in ("", "none", "(null)") else f"accounting by {kind}"
    return (
        f"cluster {values.get('ClusterName', '?')}, SLURM {values.get('SLURM_VERSION', '?')}, "
        f"{accounting}: jobs are watched with squeue and through their logs"
    )


def jobs(name: str) -> dict[str, Job]:
    """The user's jobs of that name by id, the ended ones as long as SLURM keeps them (MinJobAge).

    Raises NoAnswer.
    """
    # By user and by name: asked for an id that it has forgotten, squeue fails altogether.
    said = _ask(
        ["squeue", "--noheader", "--states=all", f"--user={os.getuid()}", f"--name={name}",
         "--format=%i|%T|%r|%k"]
    )  # fmt: skip
    rows = (line.strip().split("|", 3) for line in said.splitlines())
    return {row[0]: Job(*row[1:]) for row in rows if len(row) >= 3}


def cancel(name: str) -> None:
    """End the user's jobs of that name, whoever knows of them. Raises NoAnswer."""
    _ask(["scancel", f"--user={os.getuid()}", f"--name={name}"])


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{command[0]}: no answer in {TIMEOUT:.0f} s") from None
    except OSError as error:
        raise NoAnswer(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        raise NoAnswer(" ".join(done.stderr.split()) or f"{command[0]} left with {done.returncode}")
    return done.stdout
