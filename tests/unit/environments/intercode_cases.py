"""Small made inputs of the InterCode environments, and the way to the originals where they are."""

import json
import os
from pathlib import Path

import pytest
from lemur.agents.driver import Driver
from lemur.agents.intercode import shell
from lemur.agents.players.scripted import Scripted
from lemur.data.journal import Journal

ROOT = Path(__file__).resolve().parents[3]
MIRROR = Path(os.environ.get("LEMUR_MIRROR", ROOT.parent / "shared" / "mirror"))


def original():
    """The folder with the original's files."""
    found = sorted(MIRROR.glob("princeton-nlp/intercode/*/data"))
    if not found:
        pytest.skip("mirror: ../shared/mirror has no files of princeton-nlp/intercode")
    return found[0].parent


def needs_shell():
    """Skip where nothing confines a shell."""
    if (why := shell.missing()) is not None:
        pytest.skip(f"sandbox: {why}")


def write(path, value):
    """Write JSON, or a text as it is, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def play(suite, script, path, batch=3):
    """(episode, verdict) of each task that is in ``script``."""
    tasks = [task for task in suite.tasks() if task.id in script]
    with Journal(path / "journal") as journal:
        episodes = Driver(suite, Scripted(script), journal, batch, 1).play(tasks, "intercode")
    return [(each, suite.judge(task, each)) for task, each in zip(tasks, episodes, strict=True)]


def gold(suite, path, tasks=None, batch=3):
    """Episodes of the gold policy over ``tasks`` (default: all that can be played)."""
    tasks = [t for t in suite.tasks() if suite.unplayable(t) is None] if tasks is None else tasks
    return play(suite, {task.id: suite.gold(task) for task in tasks}, path, batch)
