"""Commands, measured: wall time, processor time and the most memory that one held."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# One core a process: a rate a core is otherwise a matter of how many threads a library starts.
ONE_CORE = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
Job = tuple[str, Sequence[object]]


@dataclass
class Cost:
    """``wall`` and ``processor`` seconds (user and system, children among them); ``peak`` bytes."""

    wall: float = 0.0
    processor: float = 0.0
    peak: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        wall, processor = self.wall + other.wall, self.processor + other.processor
        return Cost(wall, processor, max(self.peak, other.peak))


class _Started:
    """A job under way: Python in an environment, on one core, with what it says in a file."""

    def __init__(self, job: Job, folder: Path):
        self.job, self._cost = job, folder / f"{time.monotonic_ns()}.json"
        self.said = self._cost.with_suffix(".txt")
        environment, arguments = job
        launch = [sys.executable, "-S", Path(__file__).with_name("launch.py"), self._cost]
        command = [*launch, ROOT / "workflow" / "env-run", environment, "python", *arguments]
        with self.said.open("w") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=ROOT,
                env=os.environ | ONE_CORE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def cost(self) -> Cost:
        """Once it has ended; a job that failed ends the measurement."""
        if self.process.returncode:
            sys.stderr.write(self.said.read_text(errors="replace")[-3_000:])
            raise SystemExit(f"bench: failed: {' '.join(map(str, self.job[1]))[:300]}")
        return Cost(0.0, *json.loads(self._cost.read_text()))


def run(environment: str, *arguments: object) -> tuple[Cost, str]:
    """Run one job; what it printed comes back too."""
    with tempfile.TemporaryDirectory(prefix="lemur-bench.") as folder:
        begun, job = time.monotonic(), _Started((environment, arguments), Path(folder))
        job.process.wait()
        cost = job.cost()
        cost.wall = time.monotonic() - begun
        return cost, job.said.read_text()


def run_all(workers: int, jobs: Sequence[Job], after_signatures: Job | None = None) -> Cost:
    """Run independent jobs, ``workers`` at a time; wall is that of all.

    ``after_signatures`` starts, before what still waits, once no job of signatures is left.
    """
    begun, total = time.monotonic(), Cost()
    waiting, running = list(jobs), []
    with tempfile.TemporaryDirectory(prefix="lemur-bench.") as folder:
        while waiting or running or after_signatures:
            signing = [
                job
                for job in (*waiting, *(one.job for one in running))
                if "signatures.py" in str(job[1][0])
            ]
            if after_signatures and not signing:
                waiting.insert(0, after_signatures)
                after_signatures = None
            while waiting and len(running) < workers:
                running.append(_Started(waiting.pop(0), Path(folder)))
            time.sleep(0.01)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                total += one.cost()
    total.wall = time.monotonic() - begun
    return total
