"""The launcher on this machine: ranks, signals, time limits and restarts, with a stand-in for SLURM."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.launch import ranks
from lemur.launch.allocation import parse_left
from lemur.launch.ranks import Group, environments
from lemur.launch.restarts import Restarts

# A stand-in for training: notes its start, saves on a signal, or does what its argument says.
SCRIPT = """
import os, pathlib, signal, sys, time
here = pathlib.Path(sys.argv[1])
mode = sys.argv[2]
def save(number, frame):
    (here / f"signal.{os.environ.get('RANK', '0')}").write_text(signal.Signals(number).name)
    if mode == "progress":
        count = len(list((here / "checkpoints/run").glob("step-*")))
        (here / f"checkpoints/run/step-{count + 1}").mkdir(parents=True)
    sys.exit(75)
for number in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, save)
names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR")
(here / f"rank.{os.environ.get('RANK', '-')}").write_text(" ".join(os.environ.get(n, "-") for n in names))
if mode == "fail" and os.environ["RANK"] == "1":
    print("why rank 1 fails", file=sys.stderr)
    sys.exit(3)
if mode == "refused":
    sys.exit(2)
time.sleep(0 if mode == "quick" else 30)
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A job in which squeue says how long is left and scontrol requeues by killing nobody."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "squeue").write_text(f"#!/bin/sh\ncat {tmp_path}/left\n")
    (bin_ / "scontrol").write_text(f"#!/bin/sh\necho $* >>{tmp_path}/scontrol\nkill $PPID\n")
    for path in bin_.iterdir():
        path.chmod(0o755)
    (tmp_path / "left").write_text("10:00\n")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    return tmp_path


def start(folder: Path, mode: str, *options: str) -> subprocess.Popen:
    script = folder / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "lemur.launch", "--out", str(folder / "DONE.json"), *options]
    return subprocess.Popen(
        [*command, "--", str(script), str(folder), mode], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )  # fmt: skip


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def test_one_process_has_no_ranks(tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    process = start(tmp_path, "quick")
    assert process.wait(timeout=30) == 0
    assert (tmp_path / "rank.-").read_text() == "- - - - -"
    assert not (tmp_path / ".starts.json").exists()


def test_ranks_of_one_node(tmp_path):
    assert start(tmp_path, "quick", "--processes", "3").wait(timeout=30) == 0
    shown = [(tmp_path / f"rank.{rank}").read_text() for rank in range(3)]
    assert shown == [f"{rank} {rank} 3 3 127.0.0.1" for rank in range(3)]


def test_ranks_of_the_second_of_two_nodes():
    made = environments(2, 4, 1, "10.0.0.1", 29_000)
    assert [one["RANK"] for one in made] == ["4", "5", "6", "7"]
    assert [one["LOCAL_RANK"] for one in made] == ["0", "1", "2", "3"]
    assert {(one["WORLD_SIZE"], one["MASTER_ADDR"]) for one in made} == {("8", "10.0.0.1")}


def test_several_nodes_need_srun(tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    process = start(tmp_path, "quick", "--nodes", "2")
    _, shown = process.communicate(timeout=30)
    assert process.returncode == 2
    assert shown.startswith("error: 2 nodes: start one launcher a node with srun")


def test_a_failed_rank_ends_the_others_with_its_code(tmp_path):
    began = time.monotonic()
    process = start(tmp_path, "fail", "--processes", "2")
    _, shown = process.communicate(timeout=30)
    assert process.returncode == 3
    assert time.monotonic() - began < 15
    assert shown == (
        "why rank 1 fails\nerror: rank 1 left with code 3; the other ranks were ended; "
        "the same command continues from the last checkpoint\n"
    )


def test_a_rank_that_ignores_the_end_of_another_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(ranks, "PATIENCE", 0.5)
    stubborn = "import os, signal, sys, time\nsignal.signal(15, signal.SIG_IGN)\n"
    stubborn += "time.sleep(0.5)\nsys.exit(4) if os.environ['RANK'] == '1' else time.sleep(60)"
    group = Group([sys.executable, "-c", stubborn], environments(1, 2, 0, "127.0.0.1", 1))
    began = time.monotonic()
    assert group.run() == 4
    assert time.monotonic() - began < 15
    assert [process.returncode for process in group.processes] == [-signal.SIGKILL, 4]


def test_a_mistake_of_all_ranks_is_said_once(tmp_path, capfd):
    said = "import sys; print('error: pretrain.context: 9', file=sys.stderr); sys.exit(2)"
    group = Group([sys.executable, "-c", said], environments(1, 3, 0, "127.0.0.1", 1))
    assert group.run() == 2
    assert capfd.readouterr().err == "error: pretrain.context: 9\n"


def test_sigterm_reaches_every_rank_and_is_no_requeue(slurm):
    process = start(slurm, "wait", "--processes", "2")
    wait_for(slurm / "rank.0")
    wait_for(slurm / "rank.1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 75
    assert [(slurm / f"signal.{rank}").read_text() for rank in (0, 1)] == ["SIGTERM"] * 2
    assert not (slurm / "scontrol").exists()


def test_a_launcher_that_is_killed_takes_its_ranks_along(tmp_path):
    process = start(tmp_path, "wait")
    wait_for(tmp_path / "rank.-")
    process.kill()
    wait_for(tmp_path / "signal.0")


def test_it_is_requeued_before_the_time_limit(slurm):
    (slurm / "left").write_text("0:05\n")
    process = start(slurm, "progress", "--grace", "4")
    _, shown = process.communicate(timeout=60)
    assert (slurm / "signal.0").read_text() == "SIGUSR1"
    assert (slurm / "scontrol").read_text() == "requeue 7\n"
    assert "s of the time limit are left: saving a checkpoint" in shown


def test_restarts_with_progress_go_on_for_ever_and_three_without_stop(tmp_path):
    run = tmp_path / "checkpoints" / "run"
    for step in range(10):
        Restarts(tmp_path).begin()
        (run / f"step-{step + 1}").mkdir(parents=True)
        if step:
            (run / f"step-{step}").rmdir()  # only the newest are kept
    for _ in range(4):  # one start and three restarts
        Restarts(tmp_path).begin()
    with pytest.raises(UserError, match="3 restarts without a new checkpoint after step 10"):
        Restarts(tmp_path).begin()
    Restarts(tmp_path).finish()
    Restarts(tmp_path).begin()


def test_a_refused_start_does_not_count(slurm):
    for _ in range(6):
        assert start(slurm, "refused").wait(timeout=30) == 2
    assert start(slurm, "quick").wait(timeout=30) == 0
    assert not (slurm / ".starts.json").exists()


def test_slurm_that_does_not_answer_changes_nothing(slurm):
    (slurm / "left").unlink()
    assert start(slurm, "quick").wait(timeout=30) == 0


@pytest.mark.parametrize(
    "text, seconds",
    [("1-02:03:04", 93_784), ("2:03:04", 7_384), ("3:04", 184), ("0:00", 0),
     ("UNLIMITED", None), ("INVALID", None), ("", None)],
)  # fmt: skip
def test_time_left_as_squeue_writes_it(text, seconds):
    assert parse_left(text) == seconds


def test_a_rank_killed_by_somebody_else_is_a_failure():
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert Group(command, [{}]).run() == 128 + 9
