"""One writer at a time, and signals that ask it to stop."""

import os
import signal
import socket
from pathlib import Path
from types import FrameType

from lemur.core.errors import UserError
from lemur.core.lock import try_lock


class WriterLock:
    """Held while a run writes to its checkpoint folder; a second writer is refused.

    A kernel lock on ``lock``: it goes with its process, however that ends, so none is ever stale.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "lock"
        self.file = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115 - held open
        if not try_lock(self.file):
            self.file.seek(0)
            holder = self.file.read().strip() or "another process"
            self.file.close()
            raise UserError(f"{folder}: {holder} is already writing here; wait for it or stop it")
        self.file.seek(0)
        self.file.truncate()
        self.file.write(f"process {os.getpid()} on {socket.gethostname()}")
        self.file.flush()

    def __enter__(self) -> "WriterLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


class StopSignal:
    """Remembers SIGINT (Ctrl-C), SIGTERM and SIGUSR1 (SLURM's warning before the limit) while it is
    entered. Who presses Ctrl-C twice does not want to wait for the step: the second ends it at once.

    After the last step nothing is left to save: a warning that still comes is ignored, since a
    process that it ended would have the whole job started anew, its checkpoints perhaps removed.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

    def __init__(self) -> None:
        self.received: str | None = None

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number).name
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def __enter__(self) -> "StopSignal":
        # Who was started in the background by a script is to ignore Ctrl-C: so it stays.
        heard = [
            n for n in self.SIGNALS if n != signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN
        ]
        self._before = {number: signal.signal(number, self._note) for number in heard}
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is None:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
