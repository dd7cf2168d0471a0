"""What goes wrong on a cluster, while a model trains: each ends with the bytes of a quiet run."""

import signal
import time

import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


def test_over_its_memory(training, prepared):
    """The first attempt is killed by SLURM; the next asks for more."""
    memory = "continue_pretraining:mem_mb=420+(attempt-1)*2000"
    training.start("--set-resources", memory)
    assert training.end() == 0, training.shown()
    assert "exceeded memory limit" in training.said() or "oom" in training.said().lower()
    assert training.weights() == prepared[1]


def test_over_its_time_limit(training, prepared):
    """One call, as many allocations as it takes, and none of them counts as a failed attempt."""
    training.start("--set-resources", "continue_pretraining:runtime=1")
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
    training.cluster.stop_controller()
    time.sleep(15)
    done = training.cluster.control("start")
    assert done.returncode == 0, done.stderr
    assert training.end() == 0, training.shown()
    assert training.weights() == prepared[1]


def test_controller_killed_while_its_job_runs(training, prepared):
    """Snakemake does not adopt the job: the lock refuses a second writer until it has ended."""
    training.start()
    job, _ = training.under_way()
    training.process.send_signal(signal.SIGKILL)
    training.process.wait()
    with training.held():
        training.start()
        assert training.end() != 0
        assert [one for one, _ in training.cluster.jobs()] == [job]
    assert "is already writing here" in training.said()
    deadline = time.monotonic() + 300
    while training.cluster.jobs():
        assert time.monotonic() < deadline
        time.sleep(0.5)
    training.start()
    assert training.end() == 0, training.shown()
    assert training.weights() == prepared[1]
