"""The processes of one node: started together, signalled together, ended together."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

STOPPED = 75  # EX_TEMPFAIL: state was saved, the same command continues
PATIENCE = 60.0  # seconds that ranks have to end after another rank failed
POLL = 0.1
ASK_EVERY = 60.0
_PDEATHSIG = 1  # prctl(2)


def environments(
    nodes: int, processes: int, node: int, address: str, port: int
) -> list[dict[str, str]]:
    """What each rank of this node finds in its environment, by torchrun's names; one rank: nothing."""
    world = nodes * processes
    if world == 1:
        return [{}]
    shared = {
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(processes),
        "GROUP_RANK": str(node),
        "MASTER_ADDR": address,
        "MASTER_PORT": str(port),
    }
    return [
        {**shared, "RANK": str(node * processes + local), "LOCAL_RANK": str(local)}
        for local in range(processes)
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _end_with_parent() -> None:
    """A launcher that is killed takes its ranks along: they write a checkpoint and leave."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGTERM)


@dataclass
class Group:
    """The ranks of this node. ``seconds_left``: asked now and then; ``grace`` seconds before the end
    the ranks are told by SIGUSR1 to save and leave.
    """

    command: list[str]
    environments: list[dict[str, str]]
    grace: float = 0.0
    seconds_left: Callable[[], float | None] | None = None
    sent: set[int] = field(default_factory=set)
    processes: list[subprocess.Popen] = field(default_factory=list)

    def run(self) -> int:
        """Start, wait, and return one code: 0, 75 (saved and stopped), or the first failure's."""
        before = {n: signal.signal(n, self._forward) for n in (signal.SIGTERM, signal.SIGUSR1)}
        # The terminal's Ctrl-C reaches the ranks by itself; this process waits for them.
        before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            for extra in self.environments:
                self.processes.append(
                    subprocess.Popen(
                        self.command,
                        env={**os.environ, **extra},
                        preexec_fn=_end_with_parent,
                    )
                )
            return self._wait()
        finally:
            for process in self.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _forward(self, number: int, _: FrameType | None) -> None:
        self.send(number)

    def send(self, number: int) -> None:
        self.sent.add(number)
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)

    def _wait(self) -> int:
        asked = deadline = failed_at = None
        first_failure = 0
        while True:
            codes = [process.poll() for process in self.processes]
            for code in codes:
                if code not in (None, 0) and not self._stopped(code) and not first_failure:
                    first_failure, failed_at = code, time.monotonic()
                    self.send(signal.SIGTERM)
            if None not in codes:
                break
            now = time.monotonic()
            if failed_at is not None and now - failed_at > PATIENCE:
                # They wait for a rank that is gone.
                for process in self.processes:
                    process.kill()
            if self.seconds_left and (asked is None or now - asked > ASK_EVERY):
                left = self.seconds_left()
                # SLURM that does not answer leaves the last known end as it was.
                asked, deadline = now, deadline if left is None else time.monotonic() + left
            if deadline and now > deadline - self.grace and signal.SIGUSR1 not in self.sent:
                left = max(0, round(deadline - now))
                print(
                    f"launch: {left} s of the time limit are left: saving a checkpoint",
                    file=sys.stderr,
                    flush=True,
                )
                self.send(signal.SIGUSR1)
            time.sleep(POLL)
        if first_failure:
            # A signal's number as a shell shows it.
            return first_failure if first_failure > 0 else 128 - first_failure
        return STOPPED if any(codes) else 0

    def _stopped(self, code: int) -> bool:
        """Left because it was asked to; by the bare signal where its handler was not there yet."""
        return code == STOPPED or -code in self.sent
