"""The other end of ``game.py``: starts it, asks it, and ends it with the episode."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lemur.agents.environment import WorldFailed
from lemur.provenance import ROOT

ENVIRONMENT = "alfworld"
SCRIPT = Path(__file__).parent / "game.py"
START, STEP = 180.0, 60.0  # seconds: a busy machine needs 15 and 1
REPLY = 1 << 20  # bytes of an answer at most
BUILD = f"environment '{ENVIRONMENT}' is not built: workflow/env-build {ENVIRONMENT}"


def command() -> list[str] | None:
    """How a game is started; None where its environment is not built."""
    home = ROOT / ".envs" / ENVIRONMENT
    if not (home / "lock.stamp").is_file():
        return None
    return [str(home / "bin" / "python"), "-I", str(SCRIPT)]


def begin(line: Sequence[str] | None, path: str, commands: int, planner: bool = False) -> "Game":
    """The game at ``path`` in a process of its own, done after so many ``commands``."""
    if line is None:
        raise WorldFailed(BUILD)
    return Game(line, {"game": path, "commands": commands, "planner": planner})


def plan(line: Sequence[str] | None, path: str, commands: int) -> list[str]:
    """The planner's commands that win a game, for which it is started once."""
    game = begin(line, path, commands, planner=True)
    try:
        return list(game.first.get("plan", ()))
    finally:
        game.close()


class Game:
    """A process with one game. ``WorldFailed`` where it does not answer as it should."""

    def __init__(self, line: Sequence[str], told: dict[str, Any], start: float = START):
        self.process = subprocess.Popen(
            list(line),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # No variable of this process: libraries would look for data and caches by them.
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
            start_new_session=True,
        )
        try:
            self.first = self.ask(told, start)
        except BaseException:
            self.close()
            raise

    def ask(self, value: dict[str, Any], seconds: float = STEP) -> dict[str, Any]:
        """The answer to one line."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(value).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise WorldFailed("the game's process has ended") from None
        found = self._line(seconds)
        if "error" in found:
            raise WorldFailed(f"the game failed: {found['error']}")
        return found

    def _line(self, seconds: float) -> dict[str, Any]:
        assert self.process.stdout is not None
        stream, data, until = self.process.stdout.fileno(), b"", time.monotonic() + seconds
        while not data.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise WorldFailed(f"the game did not answer in {seconds:.0f} seconds")
            part = os.read(stream, 1 << 16)
            data += part
            if not part:
                raise WorldFailed("the game's process has ended")
            if len(data) > REPLY:
                raise WorldFailed("the game answered more than it may")
        try:
            found = json.loads(data)
        except ValueError:
            raise WorldFailed("the game answered no JSON") from None
        if not isinstance(found, dict):
            raise WorldFailed("the game answered no object")
        return found

    def close(self) -> None:
        """End the process and all that it started; may be called twice."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
