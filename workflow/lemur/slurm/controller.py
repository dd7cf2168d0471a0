"""What SLURM's controller (slurmctld) says of the cluster and of one run's jobs."""

import os
import re
import subprocess
from dataclasses import dataclass

# SLURM's clients give up after their own time limits; this one is for a controller that hangs.
TIMEOUT = 60.0


class NoAnswer(Exception):
    """The controller does not answer now; its text is what SLURM's client said, in one line."""


@dataclass(frozen=True)
class Job:
    """``state`` as squeue's %T has it; ``reason`` (%r): why a pending job waits."""

    state: str
    reason: str


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
         "--format=%i|%T|%r"]
    )  # fmt: skip
    rows = (line.strip().split("|", 2) for line in said.splitlines())
    return {row[0]: Job(row[1], row[2]) for row in rows if len(row) == 3}


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise NoAnswer(f"{command[0]}: no answer in {TIMEOUT:.0f} s") from None
    except OSError as error:
        raise NoAnswer(f"{command[0]}: {error.strerror}") from None
    if done.returncode:
        raise NoAnswer(" ".join(done.stderr.split()) or f"{command[0]} left with {done.returncode}")
    return done.stdout
