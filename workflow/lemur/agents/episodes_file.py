"""``episodes.jsonl``: a line of how its episodes were played, then a line an episode."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.agents.environment import Sampling
from lemur.agents.episode import Episode
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.files import canonical

FORM = 1


@dataclass(frozen=True)
class PlayedTeacher:
    """The model that gave feedback, what answered for it, and what tells it from others."""

    model: str
    backend: str
    sha256: str


@dataclass(frozen=True)
class PlayedAs:
    """All that bears on what an episode is: who played (``player`` "model" or "gold"), where, and how.

    ``settings`` are the environment's own; ``model_sha256`` tells a model from others of its name;
    ``backend`` is named where it is another than transformers. ``version`` is the player's own, raised
    when the same settings give other episodes.
    """

    environment: str
    settings: Mapping[str, Any]
    model: str
    player: str
    seed: int
    sampling: Sampling
    precision: str
    context: int | None
    version: int
    shipped: str | None = contracts.optional()
    model_sha256: str | None = contracts.optional()
    backend: str | None = contracts.optional()
    teacher: PlayedTeacher | None = contracts.optional()

    @property
    def digest(self) -> str:
        """The sha256 of all of it."""
        return hashlib.sha256(canonical(contracts.plain(self)).encode()).hexdigest()


@dataclass(frozen=True)
class Head:
    """The first line. ``left_out`` maps tasks that were not played to the reason."""

    form: int
    settings: PlayedAs
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class PlayedEpisodes:
    """A whole file."""

    settings: PlayedAs
    left_out: Mapping[str, str]
    episodes: tuple[Episode, ...]


def write(
    out: Path, settings: PlayedAs, left_out: Mapping[str, str], episodes: Sequence[Episode]
) -> None:
    """Write what :func:`read` reads, whole or not at all."""
    contracts.write_lines(out, [Head(FORM, settings, left_out), *episodes])


def read(path: Path) -> PlayedEpisodes:
    """Raises ``UserError``, which names the line, for a file that is missing, damaged or of another form."""
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    again = "play again"
    if not lines:
        raise UserError(f"{path}: empty: {again}")
    try:
        whose = contracts.read_line(dict[str, Any], lines[0], f"{path}: line 1")
        if whose.get("form") != FORM:  # before the rest: another form has other keys
            raise UserError(f"{path}: form {whose.get('form')}, not {FORM}")
        head = contracts.read(Head, whose, f"{path}: line 1")
        found = [
            contracts.read_line(Episode, line, f"{path}: line {number}")
            for number, line in enumerate(lines[1:], 2)
        ]
    except UserError as error:
        raise UserError(f"{error}: {again}") from None
    return PlayedEpisodes(head.settings, head.left_out, tuple(found))
