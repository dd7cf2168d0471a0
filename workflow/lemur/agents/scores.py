"""What one player reached in one environment: ``scores.json``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import read_json, write_json


@dataclass(frozen=True)
class Success:
    """The episodes that were solved, by one rule."""

    value: float
    """percent of the episodes that count"""
    solved: int
    """episodes"""
    interval: tuple[float, float]
    """95 % Wilson score interval, percent"""
    mean_reward: float
    """mean of the episodes' scores, 0 to 1"""


@dataclass(frozen=True)
class Reached:
    """What the episodes that could be played came to."""

    paper: Success
    """as the original counts, its faults kept"""
    strict: Success
    """without them"""
    differs_on: int
    """episodes that one rule counts as solved and the other does not"""
    why: Mapping[str, int]
    """episodes on which the two differ, by reason"""
    ends: Mapping[str, int]
    """episodes by how they ended"""
    by_turn: tuple[float, ...]
    """percent solved (as the original counts) within 1, 2, ... turns"""
    tokens: float
    """mean tokens that a model said in an episode"""
    turns: float
    """mean turns of an episode"""
    restarts: int
    """how often episodes began again, since a world did not say what it had said before"""
    worlds: tuple[str, ...]
    """engines that answered, where an environment has more than one"""


@dataclass(frozen=True)
class Played:
    """Which episodes there are. In the file the keys of ``Reached`` stand beside these."""

    n: int
    """episodes that count"""
    left_out: Mapping[str, str]
    """why a task is in no score, by its id"""
    reached: Reached | None
    """None where no episode counts"""

    @property
    def reason(self) -> str:
        """Why there is no score."""
        return "" if self.reached else "no episode could be played here"


@dataclass(frozen=True)
class Scores:
    """One player in one environment."""

    environment: str
    """the entry of config/environments.yaml"""
    model: str
    """the model that played; gold: the known solutions"""
    player: str
    """model or gold"""
    played: Played


def write(path: Path, scores: Scores) -> None:
    """Write a ``scores.json``."""
    played = scores.played
    named = {"environment": scores.environment, "model": scores.model, "player": scores.player}
    named |= {"n": played.n, "left_out": contracts.plain(played.left_out)}
    if played.reached is None:
        write_json(path, {**named, "judged": False, "reason": played.reason})
    else:
        write_json(path, {**named, "judged": True, **contracts.plain(played.reached)})


def read(path: Path) -> Scores:
    """Read a ``scores.json``.

    Raises:
        UserError: there is none, or it is damaged or not that of an agent.
    """
    value = read_json(path)
    for key in ("environment", "model", "n", "judged", "left_out"):
        if not isinstance(value, dict) or key not in value:
            raise UserError(f"{path}: no '{key}': not the scores.json of an agent")
    named = {key: value.pop(key, "") for key in ("environment", "model", "player")}
    judged, rest = value.pop("judged"), {key: value.pop(key) for key in ("n", "left_out")}
    given = {**named, "played": {**rest, "reached": value if judged else None}}
    return contracts.read(Scores, given, str(path))
