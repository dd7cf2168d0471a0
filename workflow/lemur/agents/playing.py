"""One model plays one environment: from the tasks to ``episodes.jsonl``.

While it plays, everything is in ``episodes/<fingerprint>.jsonl`` beside the output, which no workflow
engine deletes; the fingerprint is the digest of all that bears on an episode, so that what was
played with other settings is not continued.
"""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lemur.agents import environments
from lemur.agents.driver import Driver
from lemur.agents.environment import Sampling, Suite, Task
from lemur.agents.episode import Episode, from_json, to_json
from lemur.agents.players.opening import Backend, Players, read_backend
from lemur.agents.players.player import Player
from lemur.agents.players.scripted import Scripted
from lemur.core.errors import UserError, nearest
from lemur.core.files import canonical, replacing
from lemur.core.log import logger
from lemur.core.progress import Progress
from lemur.core.provenance import ROOT
from lemur.data.journal import Journal
from lemur.evaluation.identity import identity

FORM = 1  # of episodes.jsonl
VERSION = 2  # raise it when the same settings would give other episodes
SAMPLING = ("max_new_tokens", "temperature", "top_p")
NONE = Path("none")  # where a package of the environment's own holds its data
KEYS = ("environment", "path", "settings", "limit", "model", "player", "seed", "batch")
KEYS += ("precision", "context", "sampling", "backend", "teacher", "shipped")


@dataclasses.dataclass(frozen=True)
class Changes:
    """What a recipe says of how answers are made; None: as the environment has it."""

    max_new_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None

    def apply(self, sampling: Sampling) -> Sampling:
        """The environment's own with these in place."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        return dataclasses.replace(sampling, **said)


@dataclasses.dataclass(frozen=True)
class Teacher:
    """The model that gives feedback, and what answers for it."""

    model: str
    backend: Backend


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a stage is given as ``--spec``; ``player`` is "model" or "gold" (known solutions).

    ``settings`` are the environment's own. ``shipped``: the folder of the project that has the tasks,
    where none are downloaded.
    """

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
    sampling: Changes = Changes()
    backend: Backend = Backend()
    teacher: Teacher | None = None
    shipped: str | None = None


def read_settings(spec: Any) -> Settings:
    """``UserError`` for a key that is missing, unknown or of another type."""
    if not isinstance(spec, dict):
        raise UserError(f"--spec: must be an object, it is {type(spec).__name__}")
    for key in spec:
        if key not in KEYS:
            raise UserError(f"--spec: '{key}'{nearest(key, KEYS)}")
    sampling = spec.get("sampling") or {}
    for key in sampling:
        if key not in SAMPLING:
            raise UserError(f"--spec: sampling: '{key}'{nearest(key, SAMPLING)}")
    typed = {"sampling": Changes(**sampling)}
    if "backend" in spec:
        typed["backend"] = read_backend(spec["backend"], "backend")
    if spec.get("teacher") is not None:
        typed["teacher"] = _read_teacher(spec["teacher"])
    try:
        made = Settings(**{**spec, **typed})
    except TypeError as error:
        raise UserError(f"--spec: {error}") from None
    if made.player not in ("model", "gold"):
        raise UserError(f"--spec: player '{made.player}'{nearest(made.player, ('model', 'gold'))}")
    for key, value in (("limit", made.limit), ("batch", made.batch)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise UserError(f"--spec: {key} must be a whole number of at least 1, not {value!r}")
    return made


def _read_teacher(given: object) -> Teacher:
    if not isinstance(given, dict) or set(given) - {"backend"} != {"model"}:
        raise UserError("--spec: teacher must have a model, and may have a backend")
    asked = read_backend(given["backend"], "teacher.backend") if "backend" in given else Backend()
    return Teacher(given["model"], asked)


def _identify(backend: Backend, folder: Path) -> str:
    """What tells the model that is asked from others."""
    return identity(backend.served, folder)


def folder_of(data: Path) -> Path:
    """The files of a download, by its manifest.json; a folder is one already."""
    return data.parent / "files" if data.name == "manifest.json" else data


def open_suite(given: Settings, data: Path, games: Path | None = None) -> Suite:
    """The environment with its data: a folder, the manifest.json of a download, or ``NONE``.
    ``games`` are another environment's data, where this one plays its games too."""
    path = ROOT / given.path if given.path else None
    place = {} if data == NONE else {"data": folder_of(data)}
    if given.shipped is not None:
        place = {"data": ROOT / given.shipped}
    if games is not None:
        place["games"] = folder_of(games)
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


def run(
    spec: Any,
    model: Path,
    data: Path,
    out: Path,
    teacher: Path = NONE,
    games: Path | None = None,
) -> None:
    """Write ``out``; nothing that was played is lost when this is killed. ``model`` and ``teacher``
    are folders, or ``NONE`` where a server has them or nobody is asked; ``games`` as of
    ``open_suite``."""
    given = read_settings(spec)
    suite = open_suite(given, data, games)
    tasks, left_out = choose_tasks(suite, given.limit)
    sampling = given.sampling.apply(suite.sampling())
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
    if given.shipped is not None:
        known["shipped"] = given.shipped
    if given.player == "model":
        known["model_sha256"] = _identify(given.backend, model)
        if given.backend != Backend():
            known["backend"] = given.backend.name
    if given.teacher is not None:
        known["teacher"] = {
            "model": given.teacher.model,
            "backend": given.teacher.backend.name,
            "sha256": _identify(given.teacher.backend, teacher),
        }
    for line in _left_out(left_out):
        logger.info(line)
    fingerprint = hashlib.sha256(canonical(known).encode()).hexdigest()[:16]
    with Journal(out.parent / "episodes" / f"{fingerprint}.jsonl") as journal:
        done = {entry["episode"] for entry in journal.entries if entry.get("kind") == "end"}
        more = [task for task in tasks if task.id not in done]
        label = f"{given.environment} {given.model}"
        players = Players(given.batch, given.precision, given.seed, given.context, label)
        with contextlib.closing(suite), contextlib.closing(players):
            player, taught = _opened(given, suite, players, (model, teacher), more)
            driver = Driver(suite, player, journal, given.batch, given.seed, taught, sampling)
            played = driver.play(tasks, label)
    write(out, known, left_out, played)


def write(
    out: Path, settings: dict[str, Any], left_out: dict[str, str], played: Sequence[Episode]
) -> None:
    """Write an ``episodes.jsonl`` that :func:`read` reads: a line of settings, then one an episode."""
    lines = [json.dumps({"form": FORM, "settings": settings, "left_out": left_out}, sort_keys=True)]
    lines += [json.dumps(to_json(episode), sort_keys=True) for episode in played]
    with replacing(out) as temporary:
        temporary.write_bytes("".join(f"{line}\n" for line in lines).encode())


def _left_out(found: dict[str, str]) -> list[str]:
    """One line for each reason, with how many tasks it keeps from being played."""
    counts: dict[str, int] = {}
    for why in found.values():
        counts[why] = counts.get(why, 0) + 1
    return [f"{count} tasks are left out: {why}" for why, count in counts.items()]


def _opened(
    given: Settings,
    suite: Suite,
    players: Players,
    folders: tuple[Path, Path],
    tasks: Sequence[Task],
) -> tuple[Player, Player | None]:
    """Who answers and who teaches. Nothing is loaded where nothing is left to be played."""
    if not tasks:
        return Scripted({}), None
    if given.player == "gold":
        known = {}
        with Progress(f"solutions of {given.environment}", len(tasks), "tasks") as progress:
            for task in tasks:  # some are found by playing
                known[task.id] = suite.gold(task) or []
                progress.add()
        player: Player = Scripted(known)
    else:
        player = players.open(given.backend, folders[0])
    if given.teacher is None:
        return player, None
    return player, players.open(given.teacher.backend, folders[1])


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
