"""``--spec`` of the stages that play, judge and show episodes: who plays which environment, and how."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from lemur.agents import environments
from lemur.agents.environment import Sampling, Suite
from lemur.agents.players.opening import Backend, check_backend
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT

NONE = Path("none")  # where a package of the environment's own holds its data


@dataclasses.dataclass(frozen=True)
class Changes:
    """What a recipe says of how answers are made; None: as the environment has it."""

    max_new_tokens: int | None = None
    temperature: int | float | None = None  # as it is written: 1 and 1.0 are other bytes
    top_p: int | float | None = None

    def apply(self, sampling: Sampling) -> Sampling:
        """The environment's own with these in place."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        return dataclasses.replace(sampling, **said)


@dataclasses.dataclass(frozen=True)
class Teacher:
    """The model that gives feedback, and what answers for it."""

    model: str
    backend: Backend = Backend()


@dataclasses.dataclass(frozen=True)
class PlaySpec:
    """Who plays and how; ``player`` is "model" or "gold" (known solutions).

    ``settings`` are the environment's own. ``shipped``: the folder of the project that has the tasks,
    where none are downloaded.
    """

    environment: str
    model: str
    seed: int
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    path: str | None = None
    limit: int | None = None
    player: Literal["model", "gold"] = "model"
    batch: int = 8
    precision: str = "bf16"
    context: int | None = None
    sampling: Changes = Changes()
    backend: Backend = Backend()
    teacher: Teacher | None = None
    shipped: str | None = None


def read_spec(spec: object) -> PlaySpec:
    """``UserError`` for a key that is missing, unknown or of another type."""
    made = contracts.read(PlaySpec, spec, "--spec")
    check_backend(made.backend, "--spec: backend")
    if made.teacher is not None:
        check_backend(made.teacher.backend, "--spec: teacher.backend")
    for key, value in (("limit", made.limit), ("batch", made.batch)):
        if value is not None and value < 1:
            raise UserError(f"--spec: {key}: a whole number of at least 1, not {value}")
    return made


def folder_of(data: Path) -> Path:
    """The files of a download, by its manifest.json; a folder is one already."""
    return data.parent / "files" if data.name == "manifest.json" else data


def open_suite(given: PlaySpec, data: Path, games: Path | None = None) -> Suite:
    """The environment with its data: a folder, the manifest.json of a download, or ``NONE``.
    ``games`` are another environment's data, where this one plays its games too."""
    path = ROOT / given.path if given.path else None
    place = {} if data == NONE else {"data": folder_of(data)}
    if given.shipped is not None:
        place = {"data": ROOT / given.shipped}
    if games is not None:
        place["games"] = folder_of(games)
    return environments.load(given.environment, {**place, **given.settings}, path)
