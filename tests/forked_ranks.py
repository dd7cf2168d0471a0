"""Ranks of the real training code as forks of the test's process, which has the imports behind it.

A start of two ranks through the launcher takes a dozen seconds of CPU time, nearly all of it
imports; forked, three. Signals, deaths and what is written are the real thing.
"""

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import tiny_training
from lemur.launch import ranks


class Fork:
    """What ``ranks.Group`` needs of a process, around ``os.fork``."""

    def __init__(self, train, arm, env, stderr):
        self.code = None
        self.pid = os.fork()
        if self.pid:
            return
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(env)
        shown = os.dup(2) if stderr is None else stderr.fileno()
        tiny_training.in_child(train, shown, lambda: arm(int(env["RANK"])))

    def poll(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def wait(self):
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def train(
    monkeypatch, spec: dict, model: Path, index: Path, done: Path, arm=lambda rank: None, shown=None
):
    """Run a stage as the launcher does, on forked ranks; (its exit code, the group).

    ``arm`` is called in each rank first; the first rank's stderr goes to ``shown`` where given.
    """
    from lemur.training.stage import run

    def start(command, env, stderr, preexec_fn):
        if stderr is None and shown is not None:
            with open(shown, "wb") as file:
                return Fork(lambda: run(spec, model, index, done), arm, env, file)
        return Fork(lambda: run(spec, model, index, done), arm, env, stderr)

    with monkeypatch.context() as patch:
        patch.setenv("DS_ACCELERATOR", "cpu")
        import deepspeed  # noqa: F401 - so that each fork has it

        patch.setattr(ranks, "subprocess", SimpleNamespace(Popen=start))
        count = spec["parallel"]["processes_per_node"]
        places = ranks.environments(1, count, 0, "127.0.0.1", ranks.free_port())
        group = ranks.Group([], places)
        return group.run(), group
