"""One model plays one environment: from the tasks to ``episodes.jsonl``.

While it plays, everything is in ``episodes/<fingerprint>.jsonl`` beside the output, which no workflow
engine deletes; the fingerprint is the digest of all that bears on an episode, so that what was
played with other settings is not continued.
"""

import contextlib
import dataclasses
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environment import Suite, Task
from lemur.agents.episode import Episode, from_json, to_json
from lemur.agents.players.player import Player
from lemur.agents.players.scripted import Scripted
from lemur.data.journal import Journal
from lemur.errors import UserError, nearest
from lemur.evaluate.identity import identity
from lemur.files import canonical, replacing
from lemur.progress import Progress
from lemur.provenance import ROOT

FORM = 1  # of episodes.jsonl
VERSION = 1  # raise it when the same settings would give other episodes
SAMPLING = ("max_new_tokens", "temperature", "top_p")
NONE = Path("none")  # where a package of the environment's own holds its data
KEYS = ("environment", "path", "settings", "limit", "model", "player", "seed", "batch")
KEYS += ("precision", "context", "sampling")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a stage is given as ``--spec``; ``player`` is "model" or "gold" (known solutions)."""

    environment: str
    model: str
    seed: int
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    path: str | None = None
    limit: int | None = None
    player: str = "model"
    batch: int = 8
    precision: str = "bf16"
    context: int | None = None
    sampling: dict[str, Any] = dataclasses.field(default_factory=dict)


def read_settings(spec: Any) -> Settings:
    """``UserError`` for a key that is missing, unknown or of another type."""
    if not isinstance(spec, dict):
        raise UserError(f"--spec: must be an object, it is {type(spec).__name__}")
    for key in spec:
        if key not in KEYS:
            raise UserError(f"--spec: '{key}'{nearest(key, KEYS)}")
    for key in spec.get("sampling") or {}:
        if key not in SAMPLING:
            raise UserError(f"--spec: sampling: '{key}'{nearest(key, SAMPLING)}")
    try:
        made = Settings(**spec)
    except TypeError as error:
        raise UserError(f"--spec: {error}") from None
    if made.player not in ("model", "gold"):
        raise UserError(f"--spec: player '{made.player}'{nearest(made.player, ('model', 'gold'))}")
    for key, value in (("limit", made.limit), ("batch", made.batch)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise UserError(f"--spec: {key} must be a whole number of at least 1, not {value!r}")
    return made


def open_suite(given: Settings, data: Path) -> Suite:
    """The environment with its data: a folder, the manifest.json of a download, or ``NONE``."""
    folder = data.parent / "files" if data.name == "manifest.json" else data
    path = ROOT / given.path if given.path else None
    place = {} if data == NONE else {"data": folder}
    return environments.load(given.environment, {**place, **given.settings}, path)


def choose_tasks(suite: Suite, limit: int | None) -> tuple[list[Task], dict[str, str]]:
    """The first ``limit`` tasks that can be played here, and why those before them cannot."""
    chosen: list[Task] = []
    left_out: dict[str, str] = {}
    for task in suite.tasks():
        if limit is not None and len(chosen) == limit:
            break
        if why := suite.unplayable(task):
            left_out[task.id] = why
        else:
            chosen.append(task)
    return chosen, left_out


def run(spec: Any, model: Path, data: Path, out: Path) -> None:
    """Write ``out``; nothing that was played is lost when this is killed."""
    given = read_settings(spec)
    suite = open_suite(given, data)
    tasks, left_out = choose_tasks(suite, given.limit)
    sampling = dataclasses.replace(suite.sampling(), **given.sampling)
    known = {
        "environment": given.environment,
        "settings": given.settings,
        "model": given.model,
        "player": given.player,
        "seed": given.seed,
        "sampling": dataclasses.asdict(sampling),
        "precision": given.precision,
        "context": given.context,
        "version": VERSION,
    }
    if given.player == "model":
        known["model_sha256"] = identity({}, model)
    print(_left_out(left_out), end="", file=sys.stderr)
    fingerprint = hashlib.sha256(canonical(known).encode()).hexdigest()[:16]
    with Journal(out.parent / "episodes" / f"{fingerprint}.jsonl") as journal:
        done = {entry["episode"] for entry in journal.entries if entry.get("kind") == "end"}
        more = [task for task in tasks if task.id not in done]
        player = _player(given, suite, model, more)
        driver = Driver(suite, player, journal, given.batch, given.seed, sampling=sampling)
        with contextlib.closing(suite):
            played = driver.play(tasks, f"{given.environment} {given.model}")
    lines = [json.dumps({"form": FORM, "settings": known, "left_out": left_out}, sort_keys=True)]
    lines += [json.dumps(to_json(one), sort_keys=True) for one in played]
    with replacing(out) as temporary:
        temporary.write_bytes("".join(f"{line}\n" for line in lines).encode())


def _left_out(found: dict[str, str]) -> str:
    """One line for each reason, with how many tasks it keeps from being played."""
    counts: dict[str, int] = {}
    for why in found.values():
        counts[why] = counts.get(why, 0) + 1
    return "".join(f"{count} tasks are left out: {why}\n" for why, count in counts.items())


def _player(given: Settings, suite: Suite, model: Path, tasks: Sequence[Task]) -> Player:
    """Who answers. Nothing is loaded where nothing is left to be played."""
    if not tasks:
        return Scripted({})
    if given.player == "gold":
        known = {}
        with Progress(f"solutions of {given.environment}", len(tasks), "tasks") as progress:
            for task in tasks:  # some are found by playing
                known[task.id] = suite.gold(task) or []
                progress.add()
        return Scripted(known)
    from lemur.agents.players.engine import EnginePlayer
    from lemur.evaluate.engine import Engine

    return EnginePlayer(Engine(model, given.precision), model, given.batch, given.context)


def read(path: Path) -> tuple[dict[str, Any], dict[str, str], list[Episode]]:
    """Settings, what was left out, and the episodes of an ``episodes.jsonl``."""
    try:
        lines = path.read_bytes().split(b"\n")
        head = json.loads(lines[0])
        if head["form"] != FORM:
            raise UserError(f"{path}: form {head['form']}, expected {FORM}: play again")
        episodes = [
            from_json(json.loads(line), f"{path}, line {number}")
            for number, line in enumerate(lines[1:], 2)
            if line
        ]
        return head["settings"], head["left_out"], episodes
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: damaged ({error}): play again") from None
