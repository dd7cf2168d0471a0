"""Which signals stop training, and which come too late to."""

import os
import signal
import subprocess
import sys

import pytest
from lemur.core.provenance import ROOT
from lemur.training import guard

SCRIPT = """
import contextlib, os, signal
from lemur.training.guard import StopSignal
# A run in this test process may have left it ignored, which children inherit.
signal.signal(signal.SIGUSR1, signal.SIG_DFL)
with contextlib.suppress(KeyError), StopSignal() as stop:
    os.kill(os.getpid(), signal.{during})
    assert stop.received == "{during}"
    {end}
os.kill(os.getpid(), signal.{after})
print("went on")
"""


def test_who_is_to_ignore_ctrl_c_goes_on(ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with guard.StopSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received is None


def ends(during, after, end="pass"):
    script = SCRIPT.format(during=during, after=after, end=end)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "workflow", capture_output=True, text=True
    )
    assert (done.stdout == "went on\n") == (done.returncode == 0), done.stderr
    return done.returncode


@pytest.mark.parametrize("during", ["SIGTERM", "SIGUSR1"])
def test_a_warning_after_the_last_step_is_ignored(during):
    """The model is being written: ending now would have the job requeued and trained again."""
    assert ends(during, "SIGUSR1") == 0


def test_a_second_ctrl_c_ends_the_step(ctrl_c):
    with guard.StopSignal() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.received == "SIGINT"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_stopped_run_and_one_that_is_cancelled_end():
    assert ends("SIGUSR1", "SIGUSR1", "raise KeyError") == -10
    assert ends("SIGUSR1", "SIGTERM") == -15
