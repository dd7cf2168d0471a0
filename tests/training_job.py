"""A training job of the smoke recipe on the test cluster, to be disturbed while it runs."""

import contextlib
import os
import re
import signal
import time

from lemur.core.files import sha256_of

# Long enough to be hit in the middle; one thread, since two wait for each other on a busy machine.
SETTINGS = (
    "set={pretrain.tokens: 24576, pretrain.checkpoint.every_steps: 1, pretrain.threads: 1, "
    "mixture.max_epochs: 8}"
)
RECIPE = ("--config", "recipe=smoke", SETTINGS)
DONE = "results/smoke/pretrain/DONE.json"
WEIGHTS = "results/smoke/pretrain/model/model.safetensors"
UNDONE = "RUNNING,PENDING,COMPLETING"


class Training:
    """`snakemake --profile slurm` in a copy of the prepared folder, as far as its training job."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.process = None

    def start(self, *arguments):
        self.process = self.cluster.start(self.folder, DONE, *arguments, *RECIPE)

    def checkpoints(self):
        found = (self.folder / "results/smoke/pretrain/checkpoints").glob("*/step-*")
        return sorted(int(path.name.removeprefix("step-")) for path in found)

    def wait(self, what, seconds=300):
        """Until ``what()`` is true; fails when Snakemake ends first."""
        deadline = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, self.shown()
            assert time.monotonic() < deadline, self.shown()
            time.sleep(0.2)

    def under_way(self):
        """Until there is a checkpoint; returns (job id, node) of the training job."""
        self.wait(lambda: self.checkpoints())
        jobs = self.cluster.jobs()
        assert len(jobs) == 1, jobs
        return jobs[0]

    def writer(self):
        """Process id of who trains."""
        lock = next((self.folder / "results/smoke/pretrain/checkpoints").glob("*/lock"))
        return int(re.match(r"process (\d+) ", lock.read_text()).group(1))

    @contextlib.contextmanager
    def held(self):
        """The training process stands still, so that what happens now happens in its middle."""
        pid = self.writer()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def end(self, seconds=600):
        """Snakemake's exit code; fails early where a job is held, which nobody would release."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.shown()
            held = self.cluster.client("squeue", "-h", "-t", "PENDING", "-o", "%A %r")
            assert "held" not in held.lower(), f"{held}\n{self.shown()}"
            time.sleep(1)
        return self.process.returncode

    def shown(self):
        logs = [self.folder / "run.log", self.folder / "logs/pretrain/smoke.log"]
        return "\n".join(path.read_text()[-4000:] for path in logs if path.exists())

    def said(self):
        """Everything that SLURM kept of the jobs, in the order of their numbers."""
        logs = (self.folder / "logs" / "slurm").rglob("*.log")
        return "\n".join(
            path.read_text(errors="replace")
            for path in sorted(logs, key=lambda path: int(path.stem))
        )

    def weights(self):
        assert (self.folder / DONE).exists(), self.shown()
        return sha256_of(self.folder / WEIGHTS)

    def clear(self):
        """End what is left of it on the cluster."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        left = [job for job, _ in self.cluster.jobs(UNDONE)]
        if left:
            self.cluster.client("scancel", *left)
        deadline = time.monotonic() + 60
        while self.cluster.jobs(UNDONE) and time.monotonic() < deadline:
            time.sleep(0.5)
