"""The benchmarks, one folder each, found by their tasks' names; a folder outside the package is one too."""

from pathlib import Path

from lemur.core.errors import UserError, nearest
from lemur.core.own_code import load_folder
from lemur.evaluation.benchmark import Benchmark
from lemur.evaluation.definition import Definition, read_definition

FOLDER = Path(__file__).parent


def tasks() -> dict[str, Path]:
    """Every task of the package, the file that says how its problems are asked."""
    return {path.stem: path for path in sorted(FOLDER.glob("*/*.yaml"))}


def load(task: str, folder: Path | None = None) -> tuple[Benchmark, Definition]:
    """The benchmark that ``task`` asks, and the task's definition: ``<task>.yaml`` in the folder of
    the package that has it, or in ``folder``, with the class ``BENCHMARK`` of the ``__init__.py``
    beside it.

    Raises:
        UserError: no such task, a file that defines none, or no such class.
    """
    known = tasks() if folder is None else {path.stem: path for path in folder.glob("*.yaml")}
    if task not in known:
        where = f" in {folder}" if folder else ""
        raise UserError(f"benchmark task '{task}' is not defined{where}{nearest(task, known)}")
    path = known[task]
    kind = load_folder(path.parent, "lemur.evaluation.benchmarks", "BENCHMARK", Benchmark)
    return kind(), read_definition(path)
