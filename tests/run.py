"""Run the project's checks: each test folder in the environment that it belongs to.

    run.py                what `make test` runs
    run.py --long         what `make test-long` runs: the tests marked long as well
    run.py --only NAME    one group: lint, workflow, data, train, evaluate, figures, dag, e2e, slurm, nix

Ends with the skipped tests by their reason, and one line of counts. Fails on a failed test, and on
a skip whose reason is not of a listed kind: a test that quietly does not run is a defect.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Group -> (environment, folders under tests/).
GROUPS = {
    "workflow": (
        "workflow",
        ["unit/config", "unit/dag", "unit/cost", "unit/core", "unit/launch", "unit/slurm"],
    ),
    "data": (
        "data",
        [
            "unit/chat",
            "unit/data",
            "unit/corpus",
            "unit/mixture",
            "unit/tokenization",
            "unit/sft",
            "unit/publish",
        ],
    ),
    "figures": (
        "figures",
        ["unit/agents", "unit/claims", "unit/export", "unit/figures", "unit/report", "unit/trace"],
    ),
    "inspect": ("inspect", ["inspect"]),
    "formats": ("formats", ["unit/formats"]),
    "evaluate": (
        "evaluate",
        ["unit/evaluation", "unit/sandbox", "unit/environments", "unit/study"],
    ),
    "train": ("train", ["unit/training", "unit/models"]),
    "dag": ("workflow", ["dag"]),
    "e2e": ("workflow", ["e2e"]),
    "slurm": ("workflow", ["slurm"]),
    "nix": ("workflow", ["nix"]),
}

# Groups at a time on two cores, and those that take longest, which begin first: each waits a third of its
# time for processes to start and end.
LANES = 3
FIRST = ("e2e", "evaluate", "dag", "train")

# A skip must say which of these the machine lacks.
ALLOWED_SKIPS = (
    "nix:",
    "mirror:",
    "sandbox:",
    "gpu:",
    "compiler:",
    "root:",
    "network:",
    "python:",
    "toolchain:",
    "browser:",
)

# Whose environments only a long run builds.
LONG_ONLY = ("formats",)

LINT = (
    ("ruff check", ["ruff", "check", "--no-cache", "."]),
    ("ruff format", ["ruff", "format", "--no-cache", "--check", "."]),
    ("snakefmt", ["snakefmt", "--check", "Snakefile", "rules"]),
    ("snakemake --lint", ["snakemake", "--lint", "--config", "quiet_plan=true"]),
)


def in_environment(name: str, command: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(ROOT / "workflow" / "env-run"), name, *command], cwd=ROOT, **options)


@dataclass
class Outcome:
    """What a group came to. ``reasons`` of skipped tests; ``complaints`` that are no test's own."""

    passed: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0
    text: str = ""


def lint() -> Outcome:
    """Formatters and linters; the text names each and holds the whole output of what failed."""
    found = Outcome()
    for label, command in LINT:
        done = in_environment("workflow", command, capture_output=True, text=True)
        good = done.returncode == 0
        found.passed, found.failed = found.passed + good, found.failed + (not good)
        found.text += f"{label}: {'ok' if good else 'FAILED'}\n"
        found.text += "" if good else done.stdout + done.stderr
    return found


def run_group(name: str, long: bool, report: Path) -> Outcome:
    """One group's tests, in its environment."""
    environment, folders = GROUPS[name]
    paths = [f"tests/{folder}" for folder in folders]
    marks = [] if long else ["-m", "not long"]
    command = ["python", "-m", "pytest", "-q", *marks, f"--junit-xml={report}", *paths]
    done = in_environment(
        environment, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    found = Outcome(text=done.stdout)
    if done.returncode == 5:  # no test selected
        return found
    if not report.exists():
        found.failed, found.complaints = 1, [f"{name}: pytest itself failed"]
        return found
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            found.failed += 1
        elif (skip := case.find("skipped")) is not None:
            reason = skip.get("message", "")
            found.reasons.append(reason)
            if not reason.startswith(ALLOWED_SKIPS):
                found.complaints.append(f"{case.get('name')}: unlisted skip: {reason}")
        else:
            found.passed += 1
    if done.returncode and not found.failed:
        found.complaints.append(f"{name}: pytest left with code {done.returncode}")
    return found


def slowest(folder: Path, count: int = 10) -> list[str]:
    """The tests that took longest, fixtures included, over all groups that ran."""
    cases = [
        (float(case.get("time", 0)), f"{path.stem}: {case.get('classname')}::{case.get('name')}")
        for path in folder.glob("*.xml")
        for case in ElementTree.parse(path).iter("testcase")
    ]
    return [f"  {seconds:.1f} s  {name}" for seconds, name in sorted(cases, reverse=True)[:count]]


def run(chosen: Sequence[str], long: bool, folder: Path) -> dict[str, Outcome]:
    """Run the ``chosen`` groups and return what each came to, in that order.

    ``LANES`` groups run at a time, since few of them keep all cores busy; with ``long`` it is one,
    since those tests measure time and memory. What a group prints is shown whole when it ends, and
    ``folder`` receives its results as <group>.xml (JUnit).
    """
    done: dict[str, Outcome] = {}
    began, printing = time.monotonic(), threading.Lock()

    def work(name: str) -> None:
        start = time.monotonic()
        print(f"begins: {name}", flush=True)
        found = lint() if name == "lint" else run_group(name, long, folder / f"{name}.xml")
        found.seconds = time.monotonic() - start
        with printing:
            done[name] = found
            left = [other for other in chosen if other not in done]
            print(f"== {name}: {found.passed} passed, {found.failed} failed in {found.seconds:.0f} s"
                  f" ({time.monotonic() - began:.0f} s in all; left: {' '.join(left) or 'none'})\n"
                  f"{found.text.rstrip()}", flush=True)  # fmt: skip

    with ThreadPoolExecutor(1 if long else LANES) as pool:
        rank = [*FIRST, *chosen]
        order = sorted(chosen, key=rank.index)
        list(pool.map(work, order))
    return {name: done[name] for name in chosen}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", choices=["lint", *GROUPS], action="append")
    args = parser.parse_args()
    os.environ.setdefault("SLURM_CONF", "/dev/null")
    # Threads that wait for work while the other group has the core would only burn it.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    usual = [name for name in GROUPS if args.long or name not in LONG_ONLY]
    chosen = args.only or ["lint", *usual]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcomes = run(chosen, args.long, Path(folder))
        longest = slowest(Path(folder))
    if longest:
        print("\n".join(["slowest:", *longest]))
    each = ", ".join(f"{name} {found.seconds:.0f} s" for name, found in outcomes.items())
    print(f"time: {each}; together {time.monotonic() - began:.0f} s")
    reasons = [reason for found in outcomes.values() for reason in found.reasons]
    for reason, count in sorted(Counter(reasons).items()):
        print(f"skipped {count}: {' '.join(reason.split())[:300]}")
    complaints = [line for found in outcomes.values() for line in found.complaints]
    for line in complaints:
        print(f"error: {line}")
    passed = sum(found.passed for found in outcomes.values())
    failed = sum(found.failed for found in outcomes.values()) + len(complaints)
    print(f"{passed} passed, {failed} failed, {len(reasons)} skipped", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
