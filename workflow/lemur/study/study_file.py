"""config/studies/<name>.yaml as it is written; ``lemur.study.design`` checks it and makes a design of it."""

from dataclasses import dataclass, field

from lemur.config.values import Values

Number = int | float | str  # a share or a factor as a file has it: 0.5 or 10/11


@dataclass(frozen=True)
class Statistics:
    """``equal``: a difference in bits per byte below which two shares count as equal. ``seeds``: as
    many are needed before anything counts as decided."""

    confidence: float
    resamples: int
    equal: float
    seed: int
    seeds: int


@dataclass(frozen=True)
class Least:
    """What a budget in hours may cut down to; shares of code are never cut."""

    seeds: int
    bases: int
    tokens: int
    pretraining_tokens: int


@dataclass(frozen=True)
class PretrainingEntry:
    """``pretrain`` of a base in a study's file."""

    share: Number
    tokens: int
    max_epochs: int | float = 1


@dataclass(frozen=True)
class BaseEntry:
    """One of ``bases``."""

    name: str
    model: str
    pretrain: PretrainingEntry | None = None
    tokens_per_second: int | float | None = None
    seeds: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ArmEntry:
    """One of ``arms``."""

    name: str
    shares: tuple[Number, ...]
    learning_rate: Number = 1
    text: str = "share"
    code_lines: str = "kept"


@dataclass(frozen=True)
class CheckpointsEntry:
    """``checkpoints``."""

    shares: tuple[Number, ...] = ()
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class HypothesisEntry:
    """One of ``hypotheses``."""

    name: str
    claim: str
    test: str
    measure: str
    share: Number
    by: int | float


@dataclass(frozen=True)
class StudyFile:
    """config/studies/<name>.yaml as it is written, of the types that its schema asks for."""

    description: str
    recipe: str
    bases: tuple[BaseEntry, ...]
    seeds: tuple[int, ...]
    tokens: int | str
    shares: tuple[Number, ...]
    reference: Number
    primary: str
    measures: dict[str, str]
    limits: tuple[str, ...]
    statistics: Statistics
    hypotheses: tuple[HypothesisEntry, ...]
    least: Least
    set: Values = field(default_factory=dict)
    arms: tuple[ArmEntry, ...] = ()
    checkpoints: CheckpointsEntry = CheckpointsEntry()
    missing: dict[str, str] = field(default_factory=dict)
    published: dict[str, tuple[float, ...]] = field(default_factory=dict)
