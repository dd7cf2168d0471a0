"""Sandboxes started before they are needed: starting one takes longer than judging by it.

A *spare* is a script of ``inside/`` in fresh namespaces with a fresh /tmp that waits for its first
and only program. A *checker* is one confined process that forks for every judgement; it holds tests
and never a program. All are started by one thread that lives as long as the process does, since
bubblewrap dies with the thread that started it.
"""

import atexit
import contextlib
import dataclasses
import json
import os
import queue
import socket
import subprocess
import threading
from collections import defaultdict, deque

from lemur.sandbox.policy import PLAIN, Limits, Root
from lemur.sandbox.process import Confined
from lemur.sandbox.types import Sandbox
from lemur.sandbox.user import list_settings

# Of the checker: many judgements are under way at once, each a process of it.
CHECKER = Limits(memory_mb=2048, cpu_seconds=3600, processes=256, open_files=256)
Spare = tuple[Confined, socket.socket]
Kind = tuple[str, int, Root]  # script, size of /tmp, what is let in


@dataclasses.dataclass(frozen=True)
class Holder:
    """What holds tests: a script of ``inside/`` that forks for each, in a sandbox of its own. There
    is one for each ``family`` of tests."""

    script: str = "checker.py"
    limits: Limits = CHECKER
    root: Root = PLAIN
    family: str = ""


HOLDER = Holder()
DIED = 3  # spares of one kind that end while they wait before one is handed out as it is


class Ready:
    """Spares and the checker of one sandbox. ``close`` ends them all."""

    def __init__(self, sandbox: Sandbox):
        self.sandbox = sandbox
        self.ahead = len(os.sched_getaffinity(0))  # spares that wait, of each kind
        self.changed = threading.Condition()
        self.spares: dict[Kind, deque[Spare]] = defaultdict(deque)
        self.asked: deque[Kind] = deque()
        self.starting: dict[Kind, int] = defaultdict(int)
        self.error: BaseException | None = None
        self.checkers: dict[Holder, Spare] = {}
        self.wanted: deque[Holder] = deque()
        self.closed = False
        self.gone: queue.SimpleQueue[Confined | None] = queue.SimpleQueue()
        self.threads = [
            threading.Thread(target=work, daemon=True) for work in (self._start, self._reap)
        ]
        for thread in self.threads:
            thread.start()

    # -- what a judgement asks for -----------------------------------------------------------------

    def runner(self, limits: Limits, script: str = "runner.py", root: Root = PLAIN) -> Spare:
        """A sandbox that has not seen a program, and the other end of its channel. Those that wait
        with another root are ended: programs come language by language."""
        kind, died = (script, limits.tmp_mb, root), 0
        with self.changed:
            while True:
                for other in [
                    spare for spare in self.spares if spare[0] == script and spare[2] != root
                ]:
                    for confined, channel in self.spares.pop(other):
                        channel.close()
                        self.gone.put(confined)
                short = self.ahead + 1 - len(self.spares[kind]) - self.starting[kind]
                self.starting[kind] += max(0, short)
                self.asked.extend([kind] * short)
                self.changed.notify_all()
                self.changed.wait_for(
                    lambda: self.spares[kind] or self.error or not self.starting[kind]
                )
                if self.error is not None:
                    error, self.error = self.error, None
                    raise error
                if not self.spares[kind]:
                    continue  # ended for another root: ask again
                confined, channel = self.spares[kind].popleft()
                if confined.process.poll() is None or died == DIED:
                    confined.begin()
                    return confined, channel
                died += 1
                channel.close()  # it died waiting: take another
                self.gone.put(confined)

    def check(
        self, channel: int, pipe: int, job: int, holder: Holder = HOLDER, message: bytes = b"j"
    ) -> None:
        """Hand a judgement to the checker: file descriptors of the runner's channel, of the pipe for
        the verdict, and of the job."""
        for attempt in (1, 2):
            confined, control = self._checker(holder)
            try:
                socket.send_fds(control, [message], [channel, pipe, job])
                return
            except OSError:  # the checker is gone: start another
                with self.changed:
                    if self.checkers.get(holder) == (confined, control):
                        del self.checkers[holder]
                        control.close()
                        self.gone.put(confined)
                if attempt == 2:
                    raise

    def done(self, confined: Confined) -> None:
        """End a runner; that it is gone is waited for elsewhere."""
        confined.kill()
        self.gone.put(confined)

    def close(self) -> None:
        """End everything and wait until it is gone."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.threads[0].join()
        spares = [spare for many in self.spares.values() for spare in many]
        for confined, channel in [*spares, *self.checkers.values()]:
            channel.close()
            self.gone.put(confined)
        self.spares.clear()
        self.checkers.clear()
        self.gone.put(None)
        self.threads[1].join()

    # -- the two threads ---------------------------------------------------------------------------

    def _checker(self, holder: Holder) -> Spare:
        with self.changed:
            if holder not in self.checkers:
                self.wanted.append(holder)
                self.changed.notify_all()
                self.changed.wait_for(lambda: holder in self.checkers or self.error)
                if self.error is not None:
                    error, self.error = self.error, None
                    raise error
            return self.checkers[holder]

    def _start(self) -> None:
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.asked or self.wanted or self.closed)
                if self.closed:
                    return
                holder = self.wanted.popleft() if self.wanted else None
                if holder in self.checkers:  # two asked at once
                    continue
                kind = self.asked.popleft() if holder is None else None
            try:
                made = self._make_checker(holder) if holder else self._make_spare(*kind)
            except BaseException as error:
                made, failed = None, error
            with self.changed:
                if made is None:
                    self.error = failed
                elif holder is not None:
                    self.checkers[holder] = made
                else:
                    self.spares[kind].append(made)
                if kind is not None:
                    self.starting[kind] -= 1
                self.changed.notify_all()

    def _make_spare(self, script: str, size: int, root: Root) -> Spare:
        limits = Limits(tmp_mb=size)
        return self._confined(script, "LEMUR_CHANNEL", limits, socket.SOCK_STREAM, root)

    def _make_checker(self, holder: Holder) -> Spare:
        confined, control = self._confined(
            holder.script, "LEMUR_CONTROL", holder.limits, socket.SOCK_SEQPACKET, holder.root
        )
        with contextlib.suppress(OSError):
            passed = list_settings(holder.limits, self.sandbox.another_user)
            control.send(json.dumps(passed).encode())
        return confined, control

    def _confined(
        self, script: str, name: str, limits: Limits, kind: int, root: Root = PLAIN
    ) -> Spare:
        theirs, ours = socket.socketpair(socket.AF_UNIX, kind)
        with theirs:
            try:
                confined = Confined(
                    self.sandbox,
                    script,
                    limits,
                    files={name: theirs.fileno()},
                    stdin=subprocess.DEVNULL,
                    root=root,
                )
            except BaseException:
                ours.close()
                raise
        return confined, ours

    def _reap(self) -> None:
        while (confined := self.gone.get()) is not None:
            confined.end()


_open: dict[tuple[int, Sandbox], Ready] = {}
_lock = threading.Lock()


def prepare(sandbox: Sandbox) -> Ready:
    """The prepared sandboxes of this process, begun when they are first asked for."""
    with _lock:
        key = (os.getpid(), sandbox)  # a forked process has no threads: it begins its own
        if key not in _open:
            _open[key] = Ready(sandbox)
        return _open[key]


@atexit.register
def close() -> None:
    """End what is prepared; a later judgement begins again."""
    with _lock:
        mine = [key for key in _open if key[0] == os.getpid()]
        found = [_open.pop(key) for key in mine]
    for holder in found:
        holder.close()
