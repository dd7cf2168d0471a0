"""One command, measured: wall time, processor time and the most memory that it held."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# One core a process: a rate a core is otherwise a matter of how many threads a library starts.
ONE_CORE = {
    "OMP_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


Job = tuple[str, Sequence[object]]


@dataclass
class Cost:
    """``wall`` and ``processor`` seconds (user and system, children among them); ``peak`` bytes."""

    wall: float = 0.0
    processor: float = 0.0
    peak: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.wall + other.wall, self.processor + other.processor, max(self.peak, other.peak)
        )


def _started(environment: str, arguments: Sequence[object], output: int) -> subprocess.Popen:
    command = [ROOT / "workflow" / "env-run", environment, "python", *arguments]
    text = [str(part) for part in command]
    return subprocess.Popen(
        text, cwd=ROOT, env=os.environ | ONE_CORE, stdout=output, stderr=subprocess.PIPE
    )


def _ended(process: subprocess.Popen, begun: float) -> Cost:
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.stderr.write(said.decode(errors="replace"))
        raise SystemExit(f"bench: failed: {process.args}")
    return Cost(time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def run(environment: str, *arguments: object) -> tuple[Cost, str]:
    """Run Python in an environment on one core; what it printed comes back too."""
    begun = time.monotonic()
    process = _started(environment, arguments, subprocess.PIPE)
    assert process.stdout is not None
    printed = process.stdout.read().decode()
    return _ended(process, begun), printed


def run_all(workers: int, jobs: Sequence[Job], after_signatures: Job | None = None) -> Cost:
    """Run independent jobs, ``workers`` at a time, each on one core; wall is that of all.

    ``after_signatures`` starts, before what still waits, once no job of signatures is left.
    """
    begun, total = time.monotonic(), Cost()
    waiting, running = list(jobs), {}
    while waiting or running or after_signatures:
        signing = [
            job for job in [*waiting, *running.values()] if "signatures.py" in str(job[1][0])
        ]
        if after_signatures and not signing:
            waiting.insert(0, after_signatures)
            after_signatures = None
        while waiting and len(running) < workers:
            environment, arguments = job = waiting.pop(0)
            # Nobody reads what is said, and a pipe would fill.
            process = subprocess.Popen(
                [
                    str(x)
                    for x in (ROOT / "workflow" / "env-run", environment, "python", *arguments)
                ],
                cwd=ROOT,
                env=os.environ | ONE_CORE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            running[process.pid] = job
        pid, status, usage = os.wait3(0)
        job = running.pop(pid)
        if status:
            raise SystemExit(f"bench: failed: {job[1]}")
        total += Cost(0.0, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
    total.wall = time.monotonic() - begun
    return total
