"""DeepMind's mathematics questions (Saxton et al. 2019, arXiv 1904.01557), generated here.

Package ``mathematics-dataset`` 1.0.1 is of 2019: ``REPAIRS`` is what it needs on a current sympy and
numpy. It is applied to the text of its modules as they are imported; the installed package stays as
its lock has it. The generator draws from ``random``, from numpy and from sympy, whose generators are
all seeded for each module, and it orders a set of entities by their address in memory; with that
order repaired too the same seed gives the same file, as long as ``PYTHONHASHSEED`` is 0 (env-run
sets it) and lock and Python are the same. Its sha256 is pinned.
"""

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from lemur.core.contracts import write_file
from lemur.core.errors import UserError
from lemur.core.files import replacing, sha256_of
from lemur.core.progress import Progress
from lemur.data.manifest import Download, Manifest

LEVELS = ("train-easy", "train-medium", "train-hard")
FILE = "mathematics.jsonl"
_POLYNOMIALS = "mathematics_dataset.sample.polynomials"
_COMPOSITION = "mathematics_dataset.util.composition"
# Module -> (text, what stands there instead, how often, why).
REPAIRS: dict[str, tuple[tuple[str, str, int, str], ...]] = {
    _POLYNOMIALS: (
        (
            "from sympy.solvers.diophantine import base_solution_linear",
            "from sympy.solvers.diophantine.diophantine import base_solution_linear",
            1,
            "sympy 1.6 moved it",
        ),
        ("dtype=np.object)", "dtype=object)", 3, "numpy 1.24 took the alias away"),
        ("coeffs.itemset(index, value)", "coeffs[index] = value", 1, "numpy 2 took it away"),
        (
            "expanded_coefficients.itemset(power, coeffs)",
            "expanded_coefficients[power] = coeffs",
            1,
            "numpy 2 took it away",
        ),
    ),
    _COMPOSITION: (
        (
            "  entities = set(context.child_entities)\n",
            "  entities = dict.fromkeys(context.child_entities)\n",
            1,
            "a set of objects is ordered by their addresses, which differ from run to run",
        ),
        (
            "      entities.add(maybe_entity)\n",
            "      entities[maybe_entity] = None\n",
            1,
            "as above",
        ),
    ),
}


class _Repairing(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Imports the modules of ``REPAIRS`` from their own files with the repairs in place."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname not in REPAIRS:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        if found is None or found.origin is None:
            return None
        self.origin = found.origin
        return importlib.util.spec_from_file_location(fullname, found.origin, loader=self)

    def get_filename(self, fullname: str) -> str:
        return self.origin

    def get_data(self, path: str | bytes) -> bytes:
        return Path(os.fsdecode(path)).read_bytes()

    def path_stats(self, path: str) -> Any:
        raise OSError("never cached: the file on disk is not what runs")

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> Any:
        name = next(n for n in REPAIRS if str(path).endswith(n.replace(".", os.sep) + ".py"))
        return compile(repaired(name, data.decode("utf-8")), path, "exec", dont_inherit=True)


def repaired(name: str, text: str) -> str:
    """A module's text with its repairs; ``UserError`` when it is not the text they were made for."""
    for old, new, times, _ in REPAIRS[name]:
        if text.count(old) != times:
            raise UserError(
                f"mathematics-dataset: {name} has {old.strip()!r} {text.count(old)} times, not "
                f"{times}: the repairs are for version 1.0.1"
            )
        text = text.replace(old, new)
    return text


def _generator() -> ModuleType:
    """The package's ``generate`` module, repaired, with the modules of the three training levels."""
    if not any(isinstance(finder, _Repairing) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Repairing())
    from absl import flags
    from mathematics_dataset import generate

    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["mathematics"])
        generate.init_modules(train_split=True)
    return generate


def _seed(text: str) -> None:
    import numpy as np
    from sympy.core import random as of_sympy

    random.seed(text)
    np.random.seed(int(hashlib.sha256(text.encode()).hexdigest()[:8], 16))
    of_sympy.seed(text)


def documents(
    seed: int, questions: int, a_document: int, progress: Progress | None = None
) -> Iterator[dict[str, str]]:
    """{module, text} with ``a_document`` questions each, a line for a question and one for its answer.

    ``questions`` of every module and level; each module is seeded by its own name, so that more
    questions of one change no other's.
    """
    generate = _generator()
    for level in LEVELS:
        for name, module in generate.filtered_modules[level].items():
            _seed(f"{seed} {level}/{name}")
            lines: list[str] = []
            for number in range(1, questions + 1):
                problem, _ = generate.sample_from_module(module)
                lines += [str(problem.question), str(problem.answer)]
                if progress:
                    progress.add(1)
                if number % a_document == 0 or number == questions:
                    yield {"module": f"{level}/{name}", "text": "\n".join(lines)}
                    lines = []


@dataclass(frozen=True)
class Generator:
    """What is generated: so many questions of each module and level, so many a document."""

    seed: int
    questions: int
    a_document: int
    generator: str = "mathematics_dataset"


@dataclass(frozen=True)
class MathematicsSpec:
    """``--spec``: the entry of config/sources.yaml, whose ``sha256`` and ``size`` pin the file."""

    name: str
    origin: Generator = field(metadata={"key": "from"})
    sha256: str | None = None
    size: int | None = None
    licence: str | None = None


def run(spec: MathematicsSpec, out: Path) -> None:
    """Write ``files/mathematics.jsonl`` and ``out`` (manifest.json), as a download would.

    ``UserError`` when the file is not the pinned one; nothing stands under a final name then.
    """
    target = out.parent / "files" / FILE
    if not (target.exists() and sha256_of(target) == spec.sha256):
        if os.environ.get("PYTHONHASHSEED") != "0":
            raise UserError("PYTHONHASHSEED is not 0: run it through workflow/env-run mathematics")
        _write(spec, target)
    file = Download(Path("files", FILE), sha256_of(target), target.stat().st_size)
    write_file(out, Manifest((file,), spec.name, licence=spec.licence))


def _write(spec: MathematicsSpec, target: Path) -> None:
    source = spec.origin
    total = source.questions * sum(len(_generator().filtered_modules[x]) for x in LEVELS)
    with replacing(target) as temporary:
        with (
            open(temporary, "w", encoding="utf-8", newline="\n") as file,
            Progress(f"generate {spec.name}", total, "questions") as progress,
        ):
            made = documents(source.seed, source.questions, source.a_document, progress)
            for row in made:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        found, size = sha256_of(temporary), temporary.stat().st_size
        if found != spec.sha256:
            raise UserError(
                f"{spec.name}: generated {size:,} bytes with sha256 {found} where "
                f"{spec.sha256} is pinned: refused. Where seed, numbers or "
                "envs/mathematics were changed on purpose, write this hash and size into "
                "config/sources.yaml; elsewhere the machine's arithmetic differs"
            )
