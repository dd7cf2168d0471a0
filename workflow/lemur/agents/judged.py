"""Reads back what one player did in one environment: scores, and each episode with its verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.agents import episodes_file
from lemur.agents.environment import Suite, Task, Verdict
from lemur.agents.episode import Episode
from lemur.agents.episodes_file import PlayedAs
from lemur.agents.play_spec import PlaySpec, open_suite, read_spec
from lemur.agents.scores import Played
from lemur.agents.scores import read as read_scores
from lemur.agents.scoring import EpisodeVerdict, Judged
from lemur.core import contracts
from lemur.core.errors import UserError

GOLD = "gold"  # the player that says the known solutions and is no model


@dataclass(frozen=True)
class Result:
    """One player in one environment.

    ``name`` is what the recipe calls the environment, ``environment`` the entry of
    config/environments.yaml that it is, ``settings`` those that it was played with. ``scores`` is
    what ``scores.json`` says and ``path`` its place; ``left_out`` maps tasks that were not played to the reason.
    """

    name: str
    environment: str
    model: str
    settings: Mapping[str, Any]
    scores: Played
    judged: tuple[Judged, ...]
    left_out: Mapping[str, str]
    path: Path

    @property
    def counted(self) -> list[Judged]:
        """The episodes that are in the scores."""
        return [attempt for attempt in self.judged if attempt.verdict.left_out is None]

    @property
    def known_solutions(self) -> bool:
        """Whether no model played."""
        return self.model == GOLD

    def solved(self, rule: str) -> dict[str, bool]:
        """Whether each task that counts was solved, by the ``rule`` "paper" or "strict"."""
        return {
            attempt.episode.task: getattr(attempt.verdict, rule) == 1 for attempt in self.counted
        }


def files(scores: Path) -> list[Path]:
    """What :func:`read_result` reads where it is given a ``scores.json``."""
    return [scores, scores.with_name("verdicts.jsonl"), scores.with_name("episodes.jsonl")]


def read_result(scores: Path) -> Result:
    """From a ``scores.json`` and the ``episodes.jsonl`` and ``verdicts.jsonl`` beside it.

    Raises:
        UserError: one of them is missing or damaged, or they are not of the same episodes.
    """
    found_scores = read_scores(scores)
    played = episodes_file.read(scores.with_name("episodes.jsonl"))
    path = scores.with_name("verdicts.jsonl")
    found = tuple(pair_with_verdicts(played.episodes, path))
    counted = sum(attempt.verdict.left_out is None for attempt in found)
    expected = found_scores.played.n
    if counted != expected:
        raise UserError(f"{path}: {counted} episodes that count, {scores} has {expected}: judge again")  # fmt: skip
    return Result(
        name=scores.parent.name,
        environment=found_scores.environment,
        model=found_scores.model,
        settings=played.settings.settings,
        scores=found_scores.played,
        judged=found,
        left_out=played.left_out,
        path=scores,
    )


def pair_with_verdicts(episodes: Sequence[Episode], path: Path) -> list[Judged]:
    """Each episode with its line of ``verdicts.jsonl``; ``UserError`` where they are not in step."""
    try:
        lines = list(contracts.read_lines(EpisodeVerdict, path))
    except UserError as error:
        raise UserError(f"{error}: judge again") from None
    if [line.task for line in lines] != [episode.task for episode in episodes]:
        raise UserError(f"{path}: of other episodes than episodes.jsonl: judge again")
    verdicts = [Verdict(line.paper, line.strict, line.why, line.left_out) for line in lines]
    return [Judged(*pair) for pair in zip(episodes, verdicts, strict=True)]


@dataclass(frozen=True)
class Opened:
    """Judged episodes with their environment, which says what the model read.

    ``given`` is the stage's ``--spec``, ``settings`` is how they were played, ``name`` what the
    recipe calls the environment.
    """

    given: PlaySpec
    name: str
    settings: PlayedAs
    left_out: Mapping[str, str]
    suite: Suite
    episodes: tuple[tuple[Task, Judged], ...]


def open_episodes(
    spec: object, episodes: Path, verdicts: Path, data: Path, games: Path | None = None
) -> Opened:
    """What pages and exports are made of; ``games`` as :func:`~lemur.agents.play_spec.open_suite` takes them.

    Raises:
        UserError: the files are damaged or not of the same episodes, or the data lack a task.
    """
    given, played = read_spec(spec), episodes_file.read(episodes)
    found = pair_with_verdicts(played.episodes, verdicts)
    suite = open_suite(given, data, games)
    tasks = {task.id: task for task in suite.tasks()}
    for attempt in found:
        if attempt.episode.task not in tasks:
            raise UserError(
                f"{episodes}: the data have no task '{attempt.episode.task}': play again"
            )
    pairs = tuple((tasks[attempt.episode.task], attempt) for attempt in found)
    name = episodes.resolve().parent.name
    return Opened(given, name, played.settings, played.left_out, suite, pairs)
