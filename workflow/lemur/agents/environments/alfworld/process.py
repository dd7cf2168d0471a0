"""The other end of ``game.py``: starts it, asks it, and ends it with the episode."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.agents.environment import WorldFailed
from lemur.agents.sessions.lines import Lines
from lemur.core.provenance import ROOT

ENVIRONMENT = "alfworld"
SCRIPT = Path(__file__).parent / "game.py"
START = 180.0  # seconds: a busy machine needs 15, and 1 for a step
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


class Game(Lines):
    """A process with one game. ``WorldFailed`` where it does not answer as it should."""

    def __init__(self, line: Sequence[str], settings: Mapping[str, Any], start: float = START):
        super().__init__(line, "the game")
        try:
            self.first = self.ask(settings, start)
        except BaseException:
            self.close()
            raise
