"""One run at a time in a folder, whoever started it; what was killed continues with the same command."""

import fcntl
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from lemur.core.provenance import Record
from lemur.dag import failures
from snake import as_checkout, snakemake

# As many as it takes for some to be left when the second run has been refused.
FIGURES = ("foundation_radar", "agent_radar", "overview", "mint_by_turn")
TABLES = ("foundation_table", "agent_table", "mint_table")
TARGETS = [
    *(f"results/figures/paper/{name}.svg" for name in FIGURES),
    *(f"results/figures/paper/{name}.html" for name in TABLES),
]


def call(folder, by):
    """The words of what `make smoke` calls, or of plain `snakemake`, for the paper's figures."""
    as_checkout(folder)
    words = ["workflow/env-run", "workflow", "snakemake", "--cores", "1"]
    if by == "make":
        said = subprocess.run(
            ["make", "-n", "smoke", "CORES=1"], cwd=folder, capture_output=True, text=True
        ).stdout
        (words,) = (shlex.split(line) for line in said.splitlines() if " snakemake " in line)
    at = words.index("snakemake") + 1
    return [*words[:at], *TARGETS, *words[at:]]


def start(folder, words):
    return subprocess.Popen(
        words, cwd=folder, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env={**os.environ, "SLURM_CONF": "/dev/null"}, start_new_session=True,
    )  # fmt: skip


def drawing(folder, process):
    """Wait until a job of ``process`` is at work."""
    log = folder / "logs" / "figures" / "paper"
    deadline = time.monotonic() + 60
    while not (log.is_dir() and list(log.iterdir())):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    "first, second",
    [("snakemake", "make"), pytest.param("make", "snakemake", marks=pytest.mark.long)],
)
def test_the_second_is_refused_and_a_killed_one_continues(tmp_path, first, second):
    first, second = call(tmp_path, first), call(tmp_path, second)
    running = start(tmp_path, first)
    drawing(tmp_path, running)
    log = tmp_path / "logs" / "run.log"
    before = log.read_bytes() if log.exists() else None
    other = start(tmp_path, second)
    _, said = other.communicate()
    assert running.poll() is None, "it was done before the other was asked: nothing was tried"
    assert other.returncode
    named = [line for line in said.splitlines() if line.startswith("error: another run")]
    assert len(named) == 1 and f"(process {running.pid})" in named[0], said
    assert "Traceback" not in said
    assert before is None or log.read_bytes().startswith(before)
    # The process alone, by its number: its jobs end with it, and nobody unlocks anything.
    running.send_signal(signal.SIGKILL)
    running.wait()
    again = start(tmp_path, second)
    _, shown = again.communicate()
    assert again.returncode == 0, shown
    begun_with_estimate = r"^\[\d+/\d+ jobs, about \w+ left\] paper_figure \w+\.(svg|html)$"
    assert re.search(begun_with_estimate, shown, re.M), shown
    assert "rule paper_figure:" not in shown and "rule paper_figure:" in log.read_text()
    assert all((tmp_path / path).is_file() for path in TARGETS)
    assert not [path for path in (tmp_path / "results").rglob("*.partial")]


def test_what_only_prints_does_so_beside_a_run(tmp_path, monkeypatch):
    """`snakemake provenance`: it writes nothing, and leaves all that the run works with."""
    made = tmp_path / TARGETS[0]
    made.parent.mkdir(parents=True)
    made.write_text("<svg/>")
    monkeypatch.chdir(tmp_path)
    Record().write([Path(TARGETS[0])], [], {})
    refused = tmp_path / failures.REFUSED / "logs" / "job.log"
    refused.parent.mkdir(parents=True)
    refused.touch()
    with open(tmp_path / ".snakemake" / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("7")
        lock.flush()
        done = snakemake(tmp_path, "--cores", "1", "provenance", "--config", f"of={TARGETS[0]}")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / ".snakemake" / "run.lock").read_text() == "7"
        assert refused.exists() and not list((tmp_path / "results").rglob("recipes"))
        done = snakemake(tmp_path, "--cores", "1", TARGETS[1])
        assert (
            done.returncode and "error: another run works in this folder (process 7)" in done.stderr
        )
