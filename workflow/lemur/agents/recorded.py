"""What somebody else's episodes look like once they are read, whatever format they were kept in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recorded:
    """One episode: what was said, what was observed after each turn, what a teacher said, whether it
    was counted as solved, the environment's own ``counters`` and the first prompt where the record has
    them."""

    task: str
    answers: tuple[str, ...]
    observations: tuple[str, ...]
    feedback: tuple[str, ...]
    solved: bool
    counters: Mapping[str, int] | None = None
    prompt: str | None = None


@dataclass(frozen=True)
class Run:
    """Episodes of one model in one setting: ``label`` for people, ``settings`` of the environment,
    ``sha256`` of the file that they are from."""

    label: str
    settings: Mapping[str, Any]
    records: tuple[Recorded, ...]
    sha256: str
