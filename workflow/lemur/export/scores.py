"""All scores of a recipe, in the formats of Inspect and of every-eval-ever."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.export import every_eval_ever, inspect_benchmark, result


def write(
    specs: Sequence[Mapping[str, Any]],
    scores: Sequence[Path],
    samples: Sequence[Path],
    logs: Path,
    records: Path,
) -> None:
    """Write the folders ``logs`` (<model>/<benchmark>.eval) and ``records`` (data/...), anew."""
    for folder in (logs, records):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=logs.parent, prefix=".export.") as place:
        made = {folder: Path(place) / folder.name for folder in (logs, records)}
        for folder in made.values():
            folder.mkdir()
        for spec, score, answers in zip(specs, scores, samples, strict=True):
            found = result.read(spec, score, answers)
            inspect_benchmark.write(found, made[logs] / found.model / f"{found.benchmark}.eval")
            every_eval_ever.write(found, made[records])
        for folder, new in made.items():
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
