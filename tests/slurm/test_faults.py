"""What goes wrong on a cluster, while a model trains: each ends with the bytes of a quiet run."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from lemur.files import sha256_of
from snake import snakemake

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

# Long enough to be hit in the middle; one thread, since two wait for each other on a busy machine.
SETTINGS = (
    "set={pretrain.tokens: 24576, pretrain.checkpoint.every_steps: 1, pretrain.threads: 1, "
    "mixture.max_epochs: 8}"
)
RECIPE = ("--config", "recipe=smoke", "quiet_plan=true", SETTINGS)
DONE = "results/smoke/pretrain/DONE.json"
WEIGHTS = "results/smoke/pretrain/model/model.safetensors"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder in which everything up to training is done, and the weights of a quiet run."""
    folder = tmp_path_factory.mktemp("prepared")
    done = snakemake(folder, "--cores", "2", DONE, *RECIPE)
    assert done.returncode == 0, done.stderr[-4000:]
    weights = sha256_of(folder / WEIGHTS)
    shutil.rmtree(folder / "results" / "smoke" / "pretrain")
    return folder, weights


class Training:
    """`snakemake --profile slurm` in a copy of the prepared folder, as far as its training job."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.process = None

    def start(self, *arguments):
        self.process = self.cluster.start(self.folder, *arguments, DONE, *RECIPE)

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

    @contextlib.contextmanager
    def held(self):
        """The training process stands still, so that what happens now happens in its middle."""
        lock = next((self.folder / "results/smoke/pretrain/checkpoints").glob("*/lock"))
        pid = int(re.match(r"process (\d+) ", lock.read_text()).group(1))
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def end(self, seconds=600):
        return self.process.wait(timeout=seconds)

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


@pytest.fixture
def training(cluster, prepared, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(prepared[0], folder, symlinks=True)
    made = Training(cluster, folder)
    yield made
    if made.process and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    left = [job for job, _ in cluster.jobs("RUNNING,PENDING,COMPLETING")]
    if left:
        cluster.client("scancel", *left)
    deadline = time.monotonic() + 60
    while cluster.jobs("RUNNING,PENDING,COMPLETING") and time.monotonic() < deadline:
        time.sleep(0.5)


def test_over_its_memory(training, prepared):
    """The first attempt is killed by SLURM; the next asks for more."""
    memory = "continue_pretraining:mem_mb=420+(attempt-1)*2000"
    training.start("--set-resources", memory, "--retries", "2")
    assert training.end() == 0, training.shown()
    assert "exceeded memory limit" in training.said() or "oom" in training.said().lower()
    assert training.weights() == prepared[1]


def test_over_its_time_limit(training, prepared):
    """One call, as many allocations as it takes, and none of them counts as a failed attempt."""
    training.start("--set-resources", "continue_pretraining:runtime=1", "--retries", "0")
    training.under_way()
    warned = "s of the time limit are left: saving a checkpoint"
    with training.held():
        training.wait(lambda: warned in training.said())
    assert training.end() == 0, training.shown()
    said = training.said()
    assert "pretrain: continuing after step" in said
    assert "Trying to restart" not in training.shown()
    assert training.weights() == prepared[1]


def test_scancel(training, prepared):
    training.start()
    job, _ = training.under_way()
    training.cluster.client("scancel", job)
    assert training.end() == 0, training.shown()
    assert "pretrain: continuing after step" in training.said()
    assert training.weights() == prepared[1]


def test_node_down_and_back(training, prepared):
    training.start()
    job, node = training.under_way()
    client = training.cluster.client
    client("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    training.wait(lambda: job not in [one for one, _ in training.cluster.jobs()])
    # Its slurmd still answers, so SLURM takes it back by itself (ReturnToService).
    training.wait(lambda: "down" not in client("sinfo", "-h", "-n", node, "-o", "%T"), 60)
    assert training.end() == 0, training.shown()
    assert "pretrain: continuing after step" in training.said()
    assert training.weights() == prepared[1]


def test_preempted_by_a_higher_partition(training, prepared):
    training.start()
    job, _ = training.under_way()
    client = training.cluster.client
    client("sbatch", "-p", "high", "-N2", "-n8", "-o", "/dev/null", "--wrap", "sleep 5")
    training.wait(lambda: job not in [one for one, _ in training.cluster.jobs()])
    assert training.end() == 0, training.shown()
    assert "pretrain: continuing after step" in training.said()
    assert training.weights() == prepared[1]


def test_slurmctld_restarted(training, prepared):
    training.start()
    training.under_way()
    pid = training.cluster.home / "run" / "slurmctld.pid"
    subprocess.run(["kill", pid.read_text().strip()], check=True)
    time.sleep(15)
    done = training.cluster.control("start")
    assert done.returncode == 0, done.stderr
    assert training.end() == 0, training.shown()
    assert training.weights() == prepared[1]


def test_controller_killed_while_its_job_runs(training, prepared):
    """Snakemake does not adopt the job: the lock refuses a second writer until it has ended."""
    training.start("--retries", "0")
    job, _ = training.under_way()
    training.process.send_signal(signal.SIGKILL)
    training.process.wait()
    with training.held():
        training.start("--nolock", "--rerun-incomplete", "--retries", "0")
        assert training.end() != 0
        assert [one for one, _ in training.cluster.jobs()] == [job]
    assert "is already writing here" in training.said()
    deadline = time.monotonic() + 300
    while training.cluster.jobs():
        assert time.monotonic() < deadline
        time.sleep(0.5)
    training.start("--nolock", "--rerun-incomplete")
    assert training.end() == 0, training.shown()
    assert training.weights() == prepared[1]
