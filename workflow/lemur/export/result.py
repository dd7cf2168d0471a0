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
from lemur.figures import inputs

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
    """``scores``: the content of scores.json. ``recipe`` and ``model`` name what was scored;
    ``description`` and ``licence`` are the benchmark's, ``dataset`` None where no hub has its data;
    ``base`` says in words what the model was trained from."""

    recipe: str
    model: str
    benchmark: str
    description: str
    dataset: Dataset | None
    base: str
    scores: Mapping[str, Any]
    samples: tuple[Sample, ...]

    @property
    def name(self) -> str:
        """What the model is called in files that know of no recipes."""
        return f"{self.recipe}-{self.model}"

    @property
    def asked(self) -> str:
        """How it was asked, in words that stand beside the number wherever it goes."""
        shots = self.scores.get("shots", 0)
        many = "shot" if shots == 1 else "shots"
        how = self.scores.get("format", "completion")
        return f"{self.scores['n']:,} of {self.scores['of']:,} problems, {shots} {many}, {how}"


def dataset_of(entry: Mapping[str, Any] | None) -> Dataset | None:
    """``hub`` of an entry of config/benchmarks.yaml."""
    return Dataset(**entry) if entry else None


def read(spec: Mapping[str, Any], scores: Path, samples: Path) -> Result:
    """The result that ``spec`` (``lemur.config.stages.export``) names, from its two files."""
    (found,) = inputs.scores([scores])
    for key in ("model", "benchmark"):
        if found[key] != spec[key]:
            raise UserError(f"{scores}: {key} is '{found[key]}', not '{spec[key]}'")
    return Result(
        recipe=spec["recipe"],
        model=spec["model"],
        benchmark=spec["benchmark"],
        description=spec["description"],
        dataset=dataset_of(spec["hub"]),
        base=spec["base"],
        scores={key: value for key, value in found.items() if key != "_path"},
        samples=tuple(sample.read(samples)),
    )


def record_uuid(recipe: str, model: str, benchmark: str) -> str:
    """A random-looking name (a UUID of version 4, as every-eval-ever asks for) that the same result
    always gets."""
    digest = hashlib.sha256(f"{recipe}/{model}/{benchmark}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
