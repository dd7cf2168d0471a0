"""The benchmarks, one folder each, found by their tasks' names; a folder outside the package is one too."""

from pathlib import Path
from typing import Any

import yaml

from lemur.core.errors import UserError, nearest
from lemur.core.own_code import load_folder
from lemur.evaluation.benchmark import Benchmark

FOLDER = Path(__file__).parent


def tasks() -> dict[str, Path]:
    """Every task of the package, the file that says how its problems are asked."""
    return {path.stem: path for path in sorted(FOLDER.glob("*/*.yaml"))}


def load(task: str, folder: Path | None = None) -> tuple[Benchmark, dict[str, Any]]:
    """The benchmark that ``task`` asks, and the task's definition: ``<task>.yaml`` in the folder of
    the package that has it, or in ``folder``, with the class ``BENCHMARK`` of the ``__init__.py``
    beside it.

    Raises:
        UserError: no such task, a file that is not YAML, or no such class.
    """
    known = tasks() if folder is None else {path.stem: path for path in folder.glob("*.yaml")}
    if task not in known:
        where = f" in {folder}" if folder else ""
        raise UserError(f"benchmark task '{task}' is not defined{where}{nearest(task, known)}")
    path = known[task]
    kind = load_folder(path.parent, "lemur.evaluation.benchmarks", "BENCHMARK", Benchmark)
    return kind(), _definition(path)


def _definition(path: Path) -> dict[str, Any]:
    try:
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(definition, dict) or not isinstance(definition.get("formats"), dict):
        raise UserError(f"{path}: a task is a mapping with 'formats' (completion, chatml)")
    if ("task" in definition) == ("stock" in definition):
        raise UserError(
            f"{path}: 'task' (its definition) or 'stock' (lm-eval's files), one of them"
        )
    return definition
