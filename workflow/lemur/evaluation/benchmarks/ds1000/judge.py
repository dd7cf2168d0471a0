"""DS-1000 (Lai et al. 2022, arXiv 2211.11501): programs over data-science libraries, judged by the
problem's own test in an environment of their own."""

import dataclasses
import functools
import hashlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lemur.core.provenance import ROOT
from lemur.evaluation.benchmark import Judge, JudgeSummary, Skipped
from lemur.evaluation.benchmarks.ds1000 import separated
from lemur.evaluation.benchmarks.ds1000.separated import Separated
from lemur.evaluation.documents import Document
from lemur.evaluation.items import Item
from lemur.evaluation.shares import grouped, share, share_beside
from lemur.evaluation.source import Source
from lemur.sandbox.judge import EARLY, Verdict, stable
from lemur.sandbox.policy import ISOLATED, PYTHON, Limits, Root
from lemur.sandbox.probe import probe
from lemur.sandbox.steps import Steps, secret_word
from lemur.sandbox.types import Absent, Sandbox

ENVIRONMENT = "ds1000"
BUILD = f"workflow/env-build {ENVIRONMENT}"
# TensorFlow alone takes ten seconds of processor time to import; the original allows two minutes.
SECONDS, MEMORY_MB = 60, 4096
# One process, as the original has it, for problems that cannot be judged by two (``separated``) and
# for the verdict that the original would give: a word that the test prints last shows that it came
# to its end. It stands in this text alone, which is read from a pipe and is not there any more when
# the program runs (``sandbox.steps`` says what that stops). What remains, since the process is one:
# a program that walks the frames or the collector's objects for the halves and joins them, or that
# patches what the test compares with (``numpy.testing``).
_RUN = """
import sys
sys.path.insert(0, "/site")
context = open("context.py", encoding="utf-8").read()
names = {{"__name__": "__main__"}}
exec(compile(context, "context.py", "exec"), names)
for library, seed in (("random", "seed"), ("numpy.random", "seed"), ("torch", "manual_seed")):
    if library in sys.modules:
        getattr(sys.modules[library], seed)(0)
code = open("answer.py", encoding="utf-8", errors="replace").read()
names["test_execution"](code)
if "test_string(" in context:
    names["test_string"](code)
sys.__stdout__.flush()
print("\\n", {0!r}, {1!r}, "\\n", sep="", end="", file=sys.__stdout__, flush=True)
"""


def answer(response: str) -> str:
    """The code of a response, as the original cuts it out."""
    code = response.split("</code>")[0].replace("```python", "").split("```")[0]
    return code.split("\nEND SOLUTION")[0].replace("<code>", "")


@functools.cache
def site() -> Path | None:
    """The environment's packages, where it is built for the interpreter that runs."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    path = ROOT / ".envs" / ENVIRONMENT / "lib" / name / "site-packages"
    return (
        path if path.is_dir() and (ROOT / ".envs" / ENVIRONMENT / "lock.stamp").is_file() else None
    )


def _python() -> str:
    return f"{PYTHON}/bin/python{sys.version_info.major}.{sys.version_info.minor}"


def root(packages: Path) -> Root:
    """What the sandbox holds: the packages, read-only."""
    threads = (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "TF_NUM_INTRAOP_THREADS",
    )
    return Root(
        paths=((str(packages), "/site"),),
        # There is no /proc: TensorFlow reads this link, and more of /proc if it points to a Python.
        links=(("/judge/program", "/proc/self/exe"),),
        environment=(
            *((name, "1") for name in threads),
            ("TF_NUM_INTEROP_THREADS", "1"),
            ("MPLBACKEND", "Agg"),
            ("MPLCONFIGDIR", "/tmp/matplotlib"),  # noqa: S108 - the sandbox's own
            ("TF_CPP_MIN_LOG_LEVEL", "3"),
            ("CUDA_VISIBLE_DEVICES", ""),
        ),
    )


def _wide(limits: Limits) -> Limits:
    """Bounds that the libraries need."""
    return Limits(
        cpu_seconds=max(SECONDS, limits.cpu_seconds),
        wall_seconds=max(3.0 * SECONDS, limits.wall_seconds),
        memory_mb=max(MEMORY_MB, limits.memory_mb),
    )


class Problem(Steps):
    """The steps of one problem in one process."""

    def run(self, sandbox: Sandbox, limits: Limits) -> Verdict:
        """As ``Steps.run``; a test that did not come to its end is an error."""
        found = super().run(sandbox, _wide(limits))
        if found.verdict == "passed" and not found.ended:
            return Verdict("error", EARLY, found.seconds)
        return dataclasses.replace(found, ended=None)


@dataclasses.dataclass(frozen=True)
class Both:
    """A problem judged by two processes, and by one where that could give another verdict: it is not
    asked when the program passes, raises or meets a limit by itself. An answer that is no data is an
    error here, since the reference solution's is data, and may pass there."""

    apart: Separated
    together: Problem

    def run(self, sandbox: Sandbox, limits: Limits) -> Verdict:
        """The verdict of two processes; ``original`` is that of one."""
        found = self.apart.run(sandbox, _wide(limits))
        asked = found.detail == EARLY or found.detail.startswith(("NoForm", "Malformed"))
        if found.verdict != "failed" and not asked:
            return dataclasses.replace(found, original=found.verdict)
        other = self.together.run(sandbox, limits)
        return dataclasses.replace(found, original=other.verdict)


def problem(packages: Path, context: str, code: str) -> Problem:
    """The job that runs ``code`` in its context against the test."""
    word = secret_word()
    return Problem(
        files=(("run.py", _RUN.format(*word)), ("context.py", context), ("answer.py", code)),
        commands=((_python(), *ISOLATED, "run.py"),),
        root=root(packages),
        word=word,
        once="run.py",
    )


def _in_one_process(verdict: Verdict) -> str:
    """The verdict where test and program are one process, as in the original."""
    return verdict.original or verdict.verdict


class ScienceJudge(Judge):
    """Makes jobs. A problem whose reference solution fails here says nothing of a model: it is left
    out, and named in the scores; so is every one where the environment is not built. One whose
    reference solution does not pass where test and program are two processes is judged in one, and
    named with the reason."""

    def __init__(self, source: Source):
        super().__init__(source)
        self.references: dict[str, str] = {}
        self.one_process: dict[str, str] = {}

    def prepare(self, documents: Sequence[Document]) -> None:
        """Run the reference solutions of ``documents``."""
        sandbox, packages = probe(), site()
        if packages is None or isinstance(sandbox, Absent):
            return
        limits = _wide(Limits())

        def reference(document: Document) -> tuple[str, str, str | None]:
            """Its name, its verdict, and why it takes one process."""
            context, code = document["code_context"], document["reference_code"]
            why = separated.together(context)
            if why is None:
                found = Separated(context, code, root(packages)).run(sandbox, limits)
                if found.verdict == "passed":
                    return document["_id"], "passed", None
                why = f"its reference solution by two processes: {found.detail or found.verdict}"
            found = problem(packages, context, code).run(sandbox, limits)
            return document["_id"], found.verdict, why

        with ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)))) as pool:
            for name, verdict, why in pool.map(reference, documents):
                self.references[name] = verdict
                if why is not None and verdict == "passed":
                    self.one_process[name] = stable(why)

    def job(self, document: Document, response: str) -> Both | Problem | Skipped:
        """By two processes where the problem can be taken apart, else by one."""
        packages = site()
        if packages is None:
            return Skipped(f"environment '{ENVIRONMENT}' is not built: {BUILD}")
        if self.references.get(document["_id"], "passed") != "passed":
            return Skipped("its reference solution fails with the libraries here")
        context, code = document["code_context"], answer(response)
        together = problem(packages, context, code)
        if document["_id"] in self.one_process:
            return together
        return Both(Separated(context, code, root(packages)), together)

    def alternatives(self) -> Mapping[str, Callable[[Verdict], str]]:
        """The verdict of the original's one process."""
        return {"one_process": _in_one_process}

    def summary(self, items: Sequence[Item]) -> JudgeSummary:
        """Scores by library and by the original's one process, what was left out or judged in one
        process, and the environment's lock."""
        stamp = ROOT / ".envs" / ENVIRONMENT / "lock.stamp"
        digest = hashlib.sha256(stamp.read_bytes()).hexdigest() if stamp.is_file() else None
        libraries = grouped(items, lambda item: item.document["library"])
        details = {
            "libraries": {
                library: share([item.verdict for item in members])
                for library, members in libraries.items()
            },
            "reference_fails": {
                name: how for name, how in sorted(self.references.items()) if how != "passed"
            },
            "one_process": dict(sorted(self.one_process.items())),
            "environment_sha256": digest,
        }
        compared = [item for item in items if "one_process" in item.notes]
        if not compared:
            return JudgeSummary(details=details)
        original = [str(item.notes["one_process"]) for item in compared]
        beside = share_beside(original, [item.verdict for item in compared])
        return JudgeSummary({"one_process": beside}, details)
