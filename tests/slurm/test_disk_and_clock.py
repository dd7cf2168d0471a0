"""A full file system and a wrong clock: found early, and the same bytes once they are put right."""

import contextlib
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from snake import planned
from training_job import DONE, RECIPE

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

HOUR = 3600


@contextlib.contextmanager
def small_disk(folder, megabytes):
    """``folder`` on a file system of its own."""
    folder.mkdir(parents=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "lemur-test", str(folder)],
        capture_output=True, text=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"root: mount is refused: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    """A file that takes what is left."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    assert shutil.disk_usage(folder).free < 1 << 16
    return ballast


@contextlib.contextmanager
def wrong_clock(cluster, node, seconds):
    """Jobs on ``node`` see a clock that is ahead."""
    done = cluster.control("clock", node, str(seconds))
    if done.returncode == 3:
        pytest.skip(f"compiler: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    try:
        yield
    finally:
        assert cluster.control("clock", node, "0").returncode == 0


def test_full_file_system(training, prepared):
    """No checkpoint is lost, one line says what to do, and the same call then ends the run."""
    results = training.folder / "results/smoke/pretrain"
    with small_disk(results, 256):
        training.start()
        training.under_way()
        with training.held():
            ballast = fill(results)
            before = training.checkpoints()
        assert training.end() != 0
        lines = [line for line in training.said().splitlines() if "the disk is full" in line]
        assert lines, training.shown()
        assert all("the same command continues" in line for line in lines)
        assert "Traceback" not in (training.folder / "logs/pretrain/smoke.log").read_text()
        assert before[-1] in training.checkpoints()
        ballast.unlink()
        training.start()
        assert training.end() == 0, training.shown()
        assert "pretrain: continuing after step" in training.said()
        assert training.weights() == prepared[1]


def test_training_on_a_node_an_hour_ahead(training, prepared):
    """Nothing that is written depends on the clock, and nothing is done again because of it."""
    cluster = training.cluster
    cluster.client("scontrol", "update", "nodename=n1", "state=drain", "reason=test")
    try:
        with wrong_clock(cluster, "n2", HOUR):
            training.start()
            _, node = training.under_way()
            assert node == "n2"
            with training.held():
                pid = training.writer()
                environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                assert b"LEMUR_CLOCK_AHEAD=3600" in environment
            assert training.end() == 0, training.shown()
    finally:
        cluster.client("scontrol", "update", "nodename=n1", "state=resume")
    assert training.weights() == prepared[1]
    assert planned(training.folder, DONE, *RECIPE) == {}


def test_preflight_names_the_node_an_hour_ahead(cluster, tmp_path):
    """Ranks on two nodes: refused in one line before they train, and accepted once it is set."""
    changed = (
        "set={pretrain.engine: deepspeed, pretrain.micro_batch_sequences: 2, pretrain.parallel: "
        "{device: cpu, nodes: 2, processes_per_node: 2, zero_stage: 1}}"
    )
    target = "results/smoke/pretrain/preflight.json"
    arguments = (target, "--config", "recipe=smoke", changed)
    with wrong_clock(cluster, "n2", HOUR):
        began = time.monotonic()
        assert cluster.start(tmp_path, *arguments).wait(timeout=250) != 0
        assert time.monotonic() - began < 200
    said = (tmp_path / "logs/preflight/smoke/pretrain.log").read_text()
    named = [line for line in said.splitlines() if "the clock of node 1 (rank" in line]
    assert named and "3,6" in named[0] and "ahead: synchronise it" in named[0], said
    assert not (tmp_path / target).exists()
    cluster.snakemake(tmp_path, *arguments, seconds=250)
    assert (tmp_path / target).exists()
