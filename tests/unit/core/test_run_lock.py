"""The lock of a folder, and the jobs that end with the run that holds it."""

import os
import subprocess
import sys

import pytest
from lemur.core.errors import UserError
from lemur.core.run_lock import RUN, RunLock

ENDING = "from lemur.core.run_lock import end_with_run; end_with_run(); print('went on')"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run_whole():
    """A run from its beginning to its end by itself."""
    lock = RunLock()
    file = lock.take()
    lock.release()
    os.close(file)


@pytest.mark.parametrize("earlier", [0, 1])
def test_a_run_that_began_and_ended_since_the_plan_is_noticed(earlier):
    """What was planned may be made already; the lock is free and its text is as it was."""
    for _ in range(earlier):
        run_whole()
    planned = RunLock()
    run_whole()
    with pytest.raises(UserError, match="another run worked in this folder meanwhile"):
        planned.take()


def test_runs_one_after_the_other_are_welcome():
    for _ in range(3):
        run_whole()


def ending(run):
    return subprocess.run(
        [sys.executable, "-c", ENDING],
        env={**os.environ, RUN: str(run)}, capture_output=True, text=True,
    )  # fmt: skip


def test_a_job_of_a_run_that_is_gone_already_ends():
    ended = subprocess.Popen(["true"])
    ended.wait()
    done = ending(ended.pid)
    assert done.returncode == -15 and not done.stdout, done.stderr


def test_a_job_of_a_run_that_goes_on_works():
    assert ending(os.getpid()).stdout == "went on\n"
