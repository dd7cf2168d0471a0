"""A problem of DS-1000 judged by two processes: its test in one, the program in the other.

The test is the problem's own, unchanged; what it hands to ``exec`` runs elsewhere, and what comes
back is data (``sandbox/inside/tester.py``, ``values.py``). Two kinds of problem cannot be taken
apart so, by what their text shows: the test looks at a figure that the program has drawn, or its
assertions are part of the text that the program is put into. For others their reference solution
tells: it may answer with what is not data (a fitted model, a class).
"""

import ast
import dataclasses
import functools
import json
import re

from lemur.sandbox.judge import Sides, Verdict, judge_between
from lemur.sandbox.policy import Limits, Root
from lemur.sandbox.pool import Holder
from lemur.sandbox.types import Sandbox

INSERT = "[insert]"
FIGURE = "its test looks at the program's figure"
ASSERTS = "its test's assertions run with the program"
# Imported ahead where a problem does, in the process that then forks for its test.
_AHEAD = ("numpy", "pandas", "scipy", "sklearn", "statsmodels", "xgboost", "torch", "tensorflow")
_DRAWING = ("matplotlib", "seaborn", "PIL")
_ASSERT = re.compile(r"^\s*assert\b", re.MULTILINE)
_IMPORT = re.compile(r"^\s*(?:import|from)\s+([\w.]+)", re.MULTILINE)
# Of the process that holds tests, and of each that it forks: address space, where all libraries
# take 2 GB, and threads, which TensorFlow begins by the dozen.
_TESTS = Limits(memory_mb=8192, cpu_seconds=3600, processes=4096, open_files=512, tmp_mb=256)
# The same without the libraries' reserve: PyTorch and TensorFlow reserve address space by the
# gigabyte, so that what a program uses is bounded by the watch over its tree alone.
_ADDRESS_MB = 1 << 20


@functools.cache
def together(context: str) -> str | None:
    """Why program and test have to be one process, None where nothing in the text says so."""
    try:
        tree = ast.parse(context)
    except (SyntaxError, ValueError) as error:
        return f"its test is not Python: {error}"
    if any(name.split(".")[0] in _DRAWING for name in _imported(tree)):
        return FIGURE
    if any(_ASSERT.search(text.partition(INSERT)[2]) for text in _templates(tree)):
        return ASSERTS
    return None


def _imported(tree: ast.Module) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _templates(tree: ast.Module) -> list[str]:
    """Texts that the program is put into."""
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [text for text in texts if isinstance(text, str) and INSERT in text and text != INSERT]


def _ahead(names: list[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.split(".")[0] in _AHEAD]


def _family(ahead: list[str]) -> str:
    """Which libraries a test's process has that others do without: those that hold a state of random
    numbers, and take seconds to import."""
    return " ".join(sorted({name.split(".")[0] for name in ahead} & {"tensorflow", "torch"}))


def _wanted(tree: ast.Module) -> list[str]:
    """Names of the variables that the test takes from what the program has left."""
    return sorted(
        {
            node.slice.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
            and node.slice.value.isidentifier()
        }
        | {"result"}
    )


@dataclasses.dataclass(frozen=True)
class _Task:
    """What the two confined processes are handed: ``wanted`` names what the test reads of the program,
    ``modules`` what the program's side imports ahead."""

    context: str
    program: str
    wanted: list[str]
    modules: list[str]


@dataclasses.dataclass(frozen=True)
class Separated:
    """The job that judges ``program`` by the test of ``context`` in the environment of ``root``."""

    context: str
    program: str
    root: Root

    def run(self, sandbox: Sandbox, limits: Limits) -> Verdict:
        """Verdict of the program. Never raises for what it does."""
        tree = ast.parse(self.context)
        ahead = _ahead(_imported(tree))
        inserted = [name for text in _templates(tree) for name in _IMPORT.findall(text)]
        job = _Task(self.context, self.program, _wanted(tree), _ahead([*ahead, *inserted]))
        sides = Sides(
            runner="solver.py",
            root=self.root,
            holder=Holder("tester.py", _TESTS, self.root, _family(ahead)),
            message=json.dumps(ahead).encode(),
            program=dataclasses.replace(
                limits,
                memory_mb=_ADDRESS_MB,
                processes=max(limits.processes, 256),
                file_mb=max(limits.file_mb, 256),
                tmp_mb=max(limits.tmp_mb, 512),
                open_files=max(limits.open_files, 512),
            ),
        )
        return judge_between(sandbox, limits, job, sides)
