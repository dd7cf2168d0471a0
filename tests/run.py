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
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Group -> (environment, folders under tests/). Groups run one after the other: most use both cores.
GROUPS = {
    "workflow": (
        "workflow",
        ["unit/config", "unit/dag", "unit/plan", "unit/core", "unit/launch", "unit/slurm"],
    ),
    "data": ("data", ["unit/data", "unit/corpus", "unit/mix", "unit/tokenize", "unit/sft"]),
    "figures": ("figures", ["unit/agents", "unit/figures", "unit/report", "unit/trace"]),
    "inspect": ("inspect", ["inspect"]),
    "evaluate": ("evaluate", ["unit/evaluate", "unit/sandbox"]),
    "train": ("train", ["unit/train", "unit/models"]),
    "dag": ("workflow", ["dag"]),
    "e2e": ("workflow", ["e2e", "faults"]),
    "slurm": ("workflow", ["slurm"]),
    "nix": ("workflow", ["nix"]),
}

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

LINT = (
    ("ruff check", ["ruff", "check", "--no-cache", "."]),
    ("ruff format", ["ruff", "format", "--no-cache", "--check", "."]),
    ("snakefmt", ["snakefmt", "--check", "Snakefile", "rules"]),
    ("snakemake --lint", ["snakemake", "--lint", "--config", "quiet_plan=true"]),
)


def in_environment(name: str, command: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run([str(ROOT / "workflow" / "env-run"), name, *command], cwd=ROOT, **options)


def lint() -> int:
    failed = 0
    for label, command in LINT:
        done = in_environment("workflow", command, capture_output=True, text=True)
        good = done.returncode == 0
        failed += not good
        print(f"{label}: {'ok' if good else 'FAILED'}", flush=True)
        if not good:
            print(done.stdout + done.stderr, flush=True)
    return failed


def run_group(name: str, long: bool, report: Path) -> tuple[int, int, list[str], list[str]]:
    """(passed, failed, reasons of the skipped, complaints) of one group."""
    environment, folders = GROUPS[name]
    present = [f"tests/{folder}" for folder in folders if (ROOT / "tests" / folder).is_dir()]
    if not present:
        return 0, 0, [], []
    marks = [] if long else ["-m", "not long"]
    command = ["python", "-m", "pytest", "-q", *marks, f"--junit-xml={report}", *present]
    print(f"== {name}: {' '.join(present)} (environment {environment})", flush=True)
    done = in_environment(environment, command)
    if done.returncode == 5:  # no test selected
        return 0, 0, [], []
    if not report.exists():
        return 0, 1, [], [f"{name}: pytest itself failed"]
    complaints = []
    counts = {"passed": 0, "failed": 0}
    reasons = []
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            counts["failed"] += 1
        elif (skip := case.find("skipped")) is not None:
            reason = skip.get("message", "")
            reasons.append(reason)
            if not reason.startswith(ALLOWED_SKIPS):
                complaints.append(f"{case.get('name')}: unlisted skip: {reason}")
        else:
            counts["passed"] += 1
    if done.returncode and not counts["failed"]:
        complaints.append(f"{name}: pytest left with code {done.returncode}")
    return counts["passed"], counts["failed"], reasons, complaints


def slowest(folder: Path, count: int = 10) -> list[str]:
    """The tests that took longest, fixtures included, over all groups that ran."""
    cases = [
        (float(case.get("time", 0)), f"{path.stem}: {case.get('classname')}::{case.get('name')}")
        for path in folder.glob("*.xml")
        for case in ElementTree.parse(path).iter("testcase")
    ]
    return [f"  {seconds:.1f} s  {name}" for seconds, name in sorted(cases, reverse=True)[:count]]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", choices=["lint", *GROUPS], action="append")
    args = parser.parse_args()
    os.environ.setdefault("SLURM_CONF", "/dev/null")
    chosen = args.only or ["lint", *GROUPS]
    passed = failed = 0
    reasons: list[str] = []
    complaints: list[str] = []
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            began = time.monotonic()
            if name == "lint":
                bad = lint()
                failed, passed = failed + bad, passed + len(LINT) - bad
            else:
                some = run_group(name, args.long, Path(folder) / f"{name}.xml")
                passed, failed = passed + some[0], failed + some[1]
                reasons += some[2]
                complaints += some[3]
            times.append((name, time.monotonic() - began))
        longest = slowest(Path(folder))
    if longest:
        print("\n".join(["slowest:", *longest]))
    each = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times)
    print(f"time: {each}; together {sum(seconds for _, seconds in times):.0f} s")
    for reason, count in sorted(Counter(reasons).items()):
        print(f"skipped {count}: {' '.join(reason.split())[:300]}")
    for line in complaints:
        print(f"error: {line}")
    failed += len(complaints)
    print(f"{passed} passed, {failed} failed, {len(reasons)} skipped", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
