"""A program that answers lines of JSON on its standard output, one for each on its standard input.

For programs of this project that run with the packages of another environment; what they are told may
be a model's, what they answer is theirs. Everything is bounded in size and time.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

from lemur.agents.environment import WorldFailed
from lemur.agents.sessions.exchange import Reply

STEP = 60.0  # seconds of an answer
REPLY = 1 << 20  # bytes of an answer at most


class Lines:
    """A process in a session of its own. ``label`` names it in the ``WorldFailed`` that is raised where
    it does not answer as it should; ``environment`` adds to the few variables that it has."""

    def __init__(
        self,
        line: Sequence[str],
        label: str,
        environment: Mapping[str, str] | None = None,
        reply: int = REPLY,
    ):
        self.label, self.reply = label, reply
        self.process = subprocess.Popen(
            list(line),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # No variable of this process: libraries would look for data and caches by them.
            env={
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "PYTHONHASHSEED": "0",
                **(environment or {}),
            },
            start_new_session=True,
        )

    def ask(self, value: Mapping[str, Any], seconds: float = STEP) -> Reply:
        """The answer to one line."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(value).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise WorldFailed(f"{self.label}'s process has ended") from None
        found = self._line(seconds)
        if "error" in found:
            raise WorldFailed(f"{self.label} failed: {found['error']}")
        return found

    def _line(self, seconds: float) -> Reply:
        assert self.process.stdout is not None
        stream, data, until = self.process.stdout.fileno(), bytearray(), time.monotonic() + seconds
        while not data.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise WorldFailed(f"{self.label} did not answer in {seconds:.0f} seconds")
            part = os.read(stream, 1 << 16)
            data += part
            if not part:
                raise WorldFailed(f"{self.label}'s process has ended")
            if len(data) > self.reply:
                raise WorldFailed(f"{self.label} answered more than it may")
        try:
            found = json.loads(data)
        except ValueError:
            raise WorldFailed(f"{self.label} answered no JSON") from None
        if not isinstance(found, dict):
            raise WorldFailed(f"{self.label} answered no object")
        return found

    def close(self) -> None:
        """End the process and all that it started in its session; may be called twice."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
