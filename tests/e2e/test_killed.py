"""A run that is killed, or stopped by Ctrl-C, while it trains: the same command continues to the same bytes."""

import os
import re
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
        # As in a terminal: what a script has started in the background ignores Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_killed_run_continues_to_the_same_weights(smoke, tmp_path, number):
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
    os.killpg(first.pid, number)
    first.communicate()
    assert not (trained / "DONE.json").exists(), "it was done before it was killed"
    kept = max(int(path.name[5:]) for path in trained.glob("checkpoints/*/step-*"))
    if number == signal.SIGINT:  # all that was trained is kept
        said = (folder / "logs" / "pretrain" / "smoke.log").read_text()
        assert re.findall(r"stopped by SIGINT after step (\d+) of", said) == [str(kept)], said
    second = start(folder)
    _, shown = second.communicate()
    assert (trained / "DONE.json").exists(), shown
    assert f"continuing after step {kept} of" in shown, shown
    weights = [
        path / "model" / "model.safetensors" for path in (trained, smoke.recipe / "pretrain")
    ]
    assert sha256_of(weights[0]) == sha256_of(weights[1])
