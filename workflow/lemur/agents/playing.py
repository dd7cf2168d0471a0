"""One model plays one environment: from the tasks to ``episodes.jsonl``.

While it plays, everything is in ``episodes/<fingerprint>.jsonl`` beside the output, which no workflow
engine deletes; the fingerprint is the digest of all that bears on an episode, so that what was
played with other settings is not continued.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from lemur.agents import episodes_file
from lemur.agents.driver import Driver
from lemur.agents.environment import Sampling, Suite, Task
from lemur.agents.episodes_file import PlayedAs, PlayedTeacher
from lemur.agents.play_spec import NONE, PlaySpec, open_suite, read_spec
from lemur.agents.players.opening import Backend, Players
from lemur.agents.players.player import Player
from lemur.agents.players.scripted import Scripted
from lemur.core.log import logger
from lemur.core.progress import Progress
from lemur.data.journal import Journal
from lemur.evaluation.identity import identity

VERSION = 2  # raise it when the same settings would give other episodes


def _identify(backend: Backend, folder: Path) -> str:
    """What tells the model that is asked from others."""
    return identity(backend.served, folder)


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


def _played_as(given: PlaySpec, sampling: Sampling, model: Path, teacher: Path) -> PlayedAs:
    asks, taught = given.player == "model", given.teacher
    return PlayedAs(
        environment=given.environment,
        settings=given.settings,
        model=given.model,
        player=given.player,
        seed=given.seed,
        sampling=sampling,
        precision=given.precision,
        context=given.context,
        version=VERSION,
        shipped=given.shipped,
        model_sha256=_identify(given.backend, model) if asks else None,
        backend=given.backend.name if asks and given.backend != Backend() else None,
        teacher=taught
        and PlayedTeacher(taught.model, taught.backend.name, _identify(taught.backend, teacher)),
    )


def run(
    spec: object,
    model: Path,
    data: Path,
    out: Path,
    teacher: Path = NONE,
    games: Path | None = None,
) -> None:
    """Write ``out``; nothing that was played is lost when this is killed. ``model`` and ``teacher``
    are folders, or ``NONE`` where a server has them or nobody is asked; ``games`` as of
    ``open_suite``."""
    given = read_spec(spec)
    suite = open_suite(given, data, games)
    tasks, left_out = choose_tasks(suite, given.limit)
    sampling = given.sampling.apply(suite.sampling())
    known = _played_as(given, sampling, model, teacher)
    for line in _left_out(left_out):
        logger.info(line)
    with Journal(out.parent / "episodes" / f"{known.digest[:16]}.jsonl") as journal:
        done = {entry["episode"] for entry in journal.entries if entry.get("kind") == "end"}
        more = [task for task in tasks if task.id not in done]
        label = f"{given.environment} {given.model}"
        players = Players(given.batch, given.precision, given.seed, given.context, label)
        with contextlib.closing(suite), contextlib.closing(players):
            player, taught = _opened(given, suite, players, (model, teacher), more)
            driver = Driver(suite, player, journal, given.batch, given.seed, taught, sampling)
            played = driver.play(tasks, label)
    episodes_file.write(out, known, left_out, played)


def _left_out(found: Mapping[str, str]) -> list[str]:
    """One line for each reason, with how many tasks it keeps from being played."""
    counts: dict[str, int] = {}
    for why in found.values():
        counts[why] = counts.get(why, 0) + 1
    return [f"{count} tasks are left out: {why}" for why, count in counts.items()]


def _opened(
    given: PlaySpec,
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
