"""One model's score on one benchmark, with its samples: what every exported format is written from."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.core.errors import UserError
from lemur.evaluation import sample
from lemur.evaluation.sample import Sample
from lemur.evaluation.score import Score, read_score

# Where every-eval-ever files a model: `data/<benchmark>/<developer>/<model>/`.
DEVELOPER = "lemur"


@dataclass(frozen=True)
class Dataset:
    """A benchmark's data set as the hub calls it (config/benchmarks.yaml: ``hub``)."""

    dataset: str
    config: str | None = None
    split: str | None = None
    task: str = "default"


@dataclass(frozen=True)
class Result:
    """``recipe`` and ``model`` name what was scored; ``description`` is the benchmark's, ``dataset`` None
    where no hub has its data; ``base`` says in words what the model was trained from."""

    recipe: str
    model: str
    benchmark: str
    description: str
    dataset: Dataset | None
    base: str
    score: Score
    samples: tuple[Sample, ...]

    @property
    def name(self) -> str:
        """What the model is called in files that know of no recipes."""
        return f"{self.recipe}-{self.model}"


def dataset_of(entry: Mapping[str, Any] | None) -> Dataset | None:
    """``hub`` of an entry of config/benchmarks.yaml."""
    return Dataset(**entry) if entry else None


def read(spec: Mapping[str, Any], scores: Path, samples: Path) -> Result:
    """The result that ``spec`` (``lemur.config.stages.export``) names, from its two files."""
    found = read_score(scores)
    for key, value in (("model", found.model), ("benchmark", found.benchmark)):
        if value != spec[key]:
            raise UserError(f"{scores}: {key} is '{value}', not '{spec[key]}'")
    return Result(
        recipe=spec["recipe"],
        model=spec["model"],
        benchmark=spec["benchmark"],
        description=spec["description"],
        dataset=dataset_of(spec["hub"]),
        base=spec["base"],
        score=found,
        samples=tuple(sample.read(samples)),
    )


def record_uuid(recipe: str, model: str, benchmark: str) -> str:
    """A random-looking name (a UUID of version 4, as every-eval-ever asks for) that the same result
    always gets."""
    digest = hashlib.sha256(f"{recipe}/{model}/{benchmark}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
