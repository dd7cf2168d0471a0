"""The processes of one node: started together, signalled together, ended together."""

import ctypes
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from lemur.core.errors import Interrupted, LostRank
from lemur.core.log import logger
from lemur.launch.blame import blame

STOPPED = Interrupted.exit_code  # state was saved, the same command continues
LOST = LostRank.exit_code
# Seconds that ranks have to end after another failed. srun then needs 30 more for other nodes
# (SLURM's KillWait), and all shall be gone within 60.
PATIENCE = 20.0
POLL = 0.1
ASK_EVERY = 60.0
TAIL = 40  # lines of a failed rank that are shown
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

    The first rank's stderr is this process's; what the others say is shown when one of them is the
    reason for a failure, since they all say the same.
    """

    command: list[str]
    environments: list[dict[str, str]]
    grace: float = 0.0
    seconds_left: Callable[[], float | None] | None = None
    sent: set[int] = field(default_factory=set)
    processes: list[subprocess.Popen] = field(default_factory=list)
    said: list[IO[bytes] | None] = field(default_factory=list)
    failures: dict[int, int] = field(default_factory=dict)  # place -> code, in the order seen
    killed: set[int] = field(default_factory=set)

    def run(self) -> int:
        """Start, wait, and return one code: 0, 75 (saved and stopped), or the first failure's."""
        before = {n: signal.signal(n, self._forward) for n in (signal.SIGTERM, signal.SIGUSR1)}
        # The terminal's Ctrl-C reaches the ranks by itself; this process waits for them.
        before[signal.SIGINT] = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            for place, extra in enumerate(self.environments):
                self.said.append(tempfile.TemporaryFile() if place else None)  # noqa: SIM115
                self.processes.append(
                    subprocess.Popen(
                        self.command,
                        env={**os.environ, **extra},
                        stderr=self.said[-1],
                        preexec_fn=_end_with_parent,
                    )
                )
            return self._wait()
        finally:
            for process in self.processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            for file in filter(None, self.said):
                file.close()
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
        while True:
            codes = [process.poll() for process in self.processes]
            now = time.monotonic()
            for place, code in enumerate(codes):
                if self._failed(code) and place not in self.killed:
                    self.failures.setdefault(place, code)
            if self.failures and failed_at is None:
                failed_at = now
                self.send(signal.SIGTERM)
            if None not in codes:
                break
            if failed_at is not None and now - failed_at > PATIENCE and not self.killed:
                # They wait for a rank that is gone, or are the one that the others wait for.
                self.killed = {place for place, code in enumerate(codes) if code is None}
                for place in self.killed:
                    self.processes[place].kill()
            if self.seconds_left and (asked is None or now - asked > ASK_EVERY):
                left = self.seconds_left()
                # SLURM that does not answer leaves the last known end as it was.
                asked, deadline = now, deadline if left is None else time.monotonic() + left
            if deadline and now > deadline - self.grace and signal.SIGUSR1 not in self.sent:
                left = max(0, round(deadline - now))
                logger.info(f"launch: {left} s of the time limit are left: saving a checkpoint")
                self.send(signal.SIGUSR1)
            time.sleep(POLL)
        if failed_at is None:
            return STOPPED if any(codes) else 0
        return self._explain(codes)

    def _failed(self, code: int | None) -> bool:
        """Neither running, nor done, nor left because it was asked to (by the bare signal where its
        handler was not there yet, which the others then miss)."""
        asked = code == STOPPED or (code == LOST and self.sent) or -(code or 0) in self.sent
        return bool(code) and not asked

    def _explain(self, codes: list[int]) -> int:
        """Say which rank ended the run, and return its code as a shell shows it."""
        # A mistake that all ranks make is the first one's to say, if it ended a moment later too.
        if codes[0] != LOST and codes[0] in self.failures.values():
            self.failures = {0: codes[0], **self.failures}
        names = [environment.get("RANK") for environment in self.environments]
        place, line = blame(names, self.failures, self.killed)
        spooled = self.said[place]
        if spooled is not None:
            spooled.seek(0)
            lines = spooled.read().decode(errors="replace").splitlines()[-TAIL:]
            # A mistake of the user's is one line; else whatever there is helps.
            mistake = [said for said in lines if said.startswith("error: ")]
            logger.error("\n".join(mistake[-1:] or lines))
        if line:
            logger.error(f"error: {line}")
        code = codes[place]
        return code if code > 0 else 128 - code
