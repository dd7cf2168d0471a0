"""Runs a problem's functions on its inputs, compares what they give, and turns that into scores.

Both are done in the sandbox, in processes of their own: the one that runs a model's program never
sees what is expected, and the one that compares has run no program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lemur.agents.environment import Task, WorldFailed
from lemur.agents.environments.robocodegen.tasks import MORE
from lemur.agents.sessions.exchange import Exchange, Reply
from lemur.agents.sessions.packages import find_packages, mount_packages
from lemur.sandbox.policy import Limits
from lemur.sandbox.types import Sandbox

ENVIRONMENT = "robocodegen"
# Wall time alone ends a program: what a model is told does not depend on how busy the machine is.
LIMITS = Limits(wall_seconds=60.0, cpu_seconds=60, memory_mb=1024)
SECONDS = 20.0  # of a run over all inputs
COMPARING = 60.0
CAUSES = {
    "timeout": f"TimeoutError: the program ran longer than {SECONDS:.0f} seconds",
    "processor": "TimeoutError: the program and what it started used too much processor time",
    "out of memory": "MemoryError: the program used more memory than it may",
    "full": "OSError: the program wrote more than it may",
    "ended": "SystemExit: the program ended",
}
WRONG = "AssertionError: the result is not what is expected"


@dataclass(frozen=True)
class Found:
    """Whether the functions pass as the notebook judges and with its faults repaired; ``error`` is
    what went wrong first, in one line, and ``why`` what the two differ by."""

    paper: bool
    strict: bool
    error: str = ""
    why: str = ""


def packages() -> Path | None:
    """numpy and shapely for the sandbox, where they are built."""
    return find_packages(ENVIRONMENT, "shapely")


def _ask(sandbox: Sandbox, request: Mapping[str, Any], seconds: float) -> tuple[Reply | None, str]:
    """The reply of ``inside/geometry.py``, begun for this request alone, or None and why not."""
    path = packages()
    if path is None:
        raise WorldFailed(f"environment '{ENVIRONMENT}' is not built")
    exchange = Exchange(sandbox, "geometry.py", LIMITS, mount_packages(path))
    exchange.begin()
    try:
        return exchange.ask(request, seconds)
    finally:
        exchange.close()


def check(
    sandbox: Sandbox, outlines: Mapping[str, Any], task: Task, programs: Sequence[str]
) -> Found:
    """Judge the functions that ``programs`` define. Never raises for what they do."""
    more = [MORE[task.id]] if task.id in MORE else []
    tests = [*task.data["tests"], *more]
    request = {
        "programs": list(programs), "name": task.data["name"], "outlines": dict(outlines),
        "inputs": [test["inputs"] for test in tests],
    }  # fmt: skip
    reply, cause = _ask(sandbox, request, SECONDS)
    if reply is None:
        return Found(False, False, CAUSES.get(cause, CAUSES["ended"]))
    results = reply.get("results")
    if not isinstance(results, list) or len(results) != len(tests):
        return Found(False, False, _line(reply.get("error")))
    given = [item if isinstance(item, dict) else {} for item in results]
    pairs = [
        (task.data["compare"], test["expected"], item["value"])
        for test, item in zip(tests, given, strict=True)
        if "value" in item
    ]
    compared, cause = _ask(sandbox, {"pairs": pairs}, COMPARING)
    if compared is None or len(compared.get("alike", ())) != len(pairs):
        # What a program made up in place of a result can fell the comparison, as a wrong one does.
        return Found(False, False, WRONG)
    answers = iter(compared["alike"])
    alike = [next(answers) if "value" in item else (False, False) for item in given]
    own = len(task.data["tests"])
    paper = all(pair[0] for pair in alike[:own])
    strict = paper and all(pair[1] for pair in alike)
    errors = [
        _line(item["error"]) if "error" in item else WRONG
        for item, pair in zip(given[:own], alike, strict=False)
        if not pair[0]
    ]
    why = ""
    if paper and not strict:
        why = "passes by tolerance" if not all(pair[1] for pair in alike[:own]) else "constant"
    return Found(paper, strict, errors[0] if errors else "", why)


def _line(text: Any) -> str:
    return " ".join(str(text).split())[:500]
