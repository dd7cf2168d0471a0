"""What a process inside a SLURM job asks of SLURM. Elsewhere there is no allocation."""

import os
import re
import subprocess

from lemur.core.log import logger


class Allocation:
    """The job that this process runs in; ``node`` counts from 0."""

    def __init__(self, job: str, node: int):
        self.job, self.node = job, node

    @classmethod
    def current(cls) -> "Allocation | None":
        job = os.environ.get("SLURM_JOB_ID")
        # The plugin strips most variables; srun sets the node's number again for its own tasks.
        return cls(job, int(os.environ.get("SLURM_NODEID", "0"))) if job else None

    def seconds_left(self) -> float | None:
        """Seconds until the time limit; None without a limit, or where SLURM does not answer now."""
        done = _ask(["squeue", "--noheader", "--jobs", self.job, "--format", "%L"])
        return parse_left(done.stdout.strip()) if done and done.returncode == 0 else None

    def requeue(self) -> bool:
        """Have SLURM end this job and start it again; False where it refuses."""
        done = _ask(["scontrol", "requeue", self.job])
        if done is not None and done.returncode == 0:
            return True
        said = " ".join((done.stderr if done else "scontrol did not answer").split())
        logger.warning(f"launch: job {self.job} could not be requeued: {said}")
        return False


def _ask(command: list[str]) -> subprocess.CompletedProcess | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None


def parse_left(text: str) -> float | None:
    """squeue's ``days-hours:minutes:seconds`` as seconds; None for UNLIMITED, INVALID and the like."""
    match = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", text)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
