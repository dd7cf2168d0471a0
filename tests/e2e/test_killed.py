"""A run killed with SIGKILL in the middle of training: the same command continues to the same bytes."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from lemur.core.files import sha256_of
from snake import as_checkout

pytestmark = pytest.mark.timeout(600)


def start(folder):
    """A run to the end of pretraining, in a process group of its own."""
    as_checkout(folder)
    command = ["workflow/env-run", "workflow", "snakemake", "--cores", "2", "pretrain"]
    return subprocess.Popen(
        [*command, "--config", "recipe=smoke"], cwd=folder, start_new_session=True, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_killed_run_continues_to_the_same_weights(smoke, tmp_path):
    folder = tmp_path / "again"
    shutil.copytree(smoke.folder, folder, symlinks=True)
    trained = folder / "results" / "smoke" / "pretrain"
    shutil.rmtree(trained)
    first = start(folder)
    deadline = time.monotonic() + 240
    while not list(trained.glob("checkpoints/*/step-*")):
        assert first.poll() is None, first.stderr.read()
        assert time.monotonic() < deadline, "no checkpoint appeared"
        time.sleep(0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (trained / "DONE.json").exists(), "it was done before it was killed"
    second = start(folder)
    _, shown = second.communicate()
    assert (trained / "DONE.json").exists(), shown
    assert "continu" in shown.lower() or "resum" in shown.lower(), shown
    weights = [
        path / "model" / "model.safetensors" for path in (trained, smoke.recipe / "pretrain")
    ]
    assert sha256_of(weights[0]) == sha256_of(weights[1])
