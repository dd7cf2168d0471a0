"""Two nodes, each with its launcher as srun starts it; here both are this machine."""

import os
import subprocess
import sys
import time

import psutil
import pytest
from tiny_training import command, settings

TWO = settings(
    engine="deepspeed", parallel__nodes=2, parallel__zero_stage=2, parallel__timeout_seconds=60
)


@pytest.fixture
def nodes(tmp_path, model_folder, index):
    """Starts a launcher a node, as srun would, in a job without a time limit."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "squeue").write_text("#!/bin/sh\necho UNLIMITED\n")
    (bin_ / "squeue").chmod(0o755)
    done = tmp_path / "out" / "DONE.json"
    job = {
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "SLURM_JOB_ID": str(os.getpid()),  # the port follows from it
        "SLURM_LAUNCH_NODE_IPADDR": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }
    launcher = [sys.executable, "-m", "lemur.launch", "--nodes", "2", "--out", str(done), "--"]
    script = command(TWO, model_folder, index, done)[1:]
    started = []

    def start():
        started[:] = [
            subprocess.Popen(
                [*launcher, *script],
                env={**os.environ, **job, "SLURM_NODEID": str(node)},
                stderr=subprocess.PIPE,
                text=True,
            )
            for node in range(2)
        ]
        return started

    yield start, done
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nodes_meet_and_a_rank_that_dies_on_one_ends_the_other(nodes):
    start, done = nodes
    first, second = start()
    deadline = time.monotonic() + 300
    while not list(done.parent.glob("checkpoints/*/step-3")):
        assert time.monotonic() < deadline and first.poll() is None, first.communicate()[1]
        time.sleep(0.002)
    (rank,) = psutil.Process(second.pid).children()
    rank.kill()
    began = time.monotonic()
    _, there = second.communicate(timeout=90)
    _, here = first.communicate(timeout=90)
    assert time.monotonic() - began < 60
    assert second.returncode == 128 + 9 and first.returncode not in (0, 75)
    assert "error: rank 1 was ended by SIGKILL" in there
    assert "error: rank 0 lost a rank of another node" in here and "Traceback" not in here
    first, second = start()
    assert second.communicate(timeout=300) and second.returncode == 0
    _, here = first.communicate(timeout=300)
    assert first.returncode == 0, here
    assert "continuing after step" in here and done.exists()
