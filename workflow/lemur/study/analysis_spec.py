"""What the analysis of a study is given (``--spec``): its cells, measures, statistics and hypotheses."""

from dataclasses import dataclass

from lemur.study.study_file import Statistics


@dataclass(frozen=True)
class CellSpec:
    """One model that was scored, as :class:`lemur.study.cells.Cell`; ``share`` is None of a base."""

    recipe: str
    base: str
    seed: int
    arm: str
    share: float | None
    tokens: int
    model: str
    steps: tuple[int, ...]

    @property
    def models(self) -> list[tuple[str, int]]:
        """What evaluation calls it after earlier steps, and these steps."""
        return [(f"pretrained-step-{step}", step) for step in self.steps]


@dataclass(frozen=True)
class BaseSpec:
    """What cells start from; its parameters in millions, and the seeds that it has."""

    name: str
    millions: float
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class ArmSpec:
    """A control and the shares of code that it has cells at."""

    name: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class HypothesisSpec:
    """A claim and the test that decides it, as :class:`lemur.study.design.Hypothesis`."""

    name: str
    claim: str
    test: str
    measure: str
    share: float
    by: int | float


@dataclass(frozen=True)
class AnalysisSpec:
    """A study as it was run. ``batch`` in tokens; ``measures`` are benchmarks by their short names,
    and ``order`` these names as they are shown, since a mapping comes back from JSON in the alphabet's;
    ``millions`` of parameters by base, also of bases that a reduced study has left out."""

    study: str
    description: str
    cells: tuple[CellSpec, ...]
    bases: tuple[BaseSpec, ...]
    millions: dict[str, float]
    seeds: tuple[int, ...]
    shares: tuple[float, ...]
    reference: float
    arms: tuple[ArmSpec, ...]
    checkpoint_measures: tuple[str, ...]
    batch: int
    primary: str
    measures: dict[str, str]
    order: tuple[str, ...]
    missing: dict[str, str]
    limits: tuple[str, ...]
    published: dict[str, tuple[float, ...]]
    statistics: Statistics
    hypotheses: tuple[HypothesisSpec, ...]
    cut: tuple[str, ...]
