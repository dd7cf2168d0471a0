"""The GPU check in environments that are none of the project's: a machine's own, and the oldest allowed."""

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from gpu.check import LIMITS
from gpu.report import ABSENT, MISS
from lemur.core.provenance import ROOT

MACHINE = ROOT / "tests" / "gpu" / "machine.txt"
PYTHONS = ("python3.12", "python3.13", "python3.11")


def pinned(name):
    """Requirements of a kind of environment, each at one release."""
    if name == "machine":
        lines = MACHINE.read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [line.replace(">=", "==") for line in groups["runtime"]]


def interpreter():
    """The Python that the machine brought, or the nearest to it: its own path.

    Where pyenv manages several, a release that is not its chosen one has to be asked for.
    """
    for name in PYTHONS:
        asked = {**os.environ, "PYENV_VERSION": name.removeprefix("python")}
        if found := shutil.which(name):
            shown = [found, "-c", "import sys; print(sys.executable)"]
            done = subprocess.run(shown, capture_output=True, text=True, env=asked)
            if done.returncode == 0:
                return done.stdout.strip()
    return sys.executable


@pytest.fixture(scope="module", params=["machine", "oldest"])
def python(request):
    """Python of a virtual environment with these releases; it is kept for the next time."""
    wanted = [*pinned(request.param), "pytest", "pytest-timeout", "hypothesis"]
    base = interpreter()
    name = hashlib.sha256("\n".join([base, *wanted]).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"lemur-gpu-check-{name}"
    made, stamp = folder / "bin" / "python", folder / "complete"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([base, "-m", "venv", str(folder)], check=True)
        done = subprocess.run(
            [made, "-m", "pip", "install", "-q", "--no-compile", *wanted],
            capture_output=True,
            text=True,
        )
        if done.returncode and re.search(
            r"No matching distribution|Connection|resolve", done.stderr
        ):
            pytest.skip(f"network: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr[-3000:]
        stamp.touch()
    return made


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_every_part_runs_at_tiny_sizes(python, tmp_path):
    """The command of the documents with a CPU in the GPU's place: each part ends, nothing is missed."""
    out = tmp_path / "gpu.md"
    command = [str(python), "tests/gpu/check.py", "--device", "cpu", "--tiny", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    text = out.read_text()
    assert done.returncode == 0, f"{done.stdout}\n{text}"
    assert re.findall(r"^## (.+)$", text, re.M) == list(LIMITS)
    assert text.count("\ndone, ") == len(LIMITS)
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert not [row for row in rows if row[-1].startswith(MISS)]
    absent = {row[0] for row in rows if row[1].startswith(ABSENT)}
    assert "| flex, heads of tiny" in absent and "| varlen, heads of tiny" in absent
    for what in ("ours / bare", "ours / trainer", "killed and continued: weights", "fp32: answers"):
        assert any(what in row[0] and row[0] not in absent for row in rows), what


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_key_tests_pass_at_these_releases(python):
    """Attention, loss, optimiser and what a GPU alone would refuse."""
    names = ("attention", "loss", "optimizer", "gpu_double", "checkpoint", "resume")
    files = [f"tests/unit/training/test_{name}.py" for name in names]
    command = [str(python), "-m", "pytest", "-q", "-m", "not long", *files]
    paths = {"PYTHONPATH": str(ROOT / "workflow")}  # for commands that the tests start
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **paths}
    )
    assert done.returncode == 0, done.stdout[-4000:]


def imported(module, seen):
    """Names of packages that a module of this checkout imports when it is imported, all told."""
    places = [
        ROOT / folder / module.replace(".", "/") for folder in ("workflow", "tests", "tests/bench")
    ]
    files = [f for place in places for f in (place.with_suffix(".py"), place / "__init__.py")]
    found = next((path for path in files if path.is_file()), None)
    if found is None:
        return {module.partition(".")[0]} - {"lemur", "gpu"}
    if module in seen:
        return set()
    seen.add(module)
    names = set()
    for node in ast.parse(found.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {node.module} | {
                name for name in inside if name.startswith(("lemur.", "gpu."))
            }
    return set().union(*(imported(name, seen) for name in names))


def test_what_the_check_runs_imports_nothing_else():
    """A machine that brings its own libraries has none for recipes and downloads."""
    parts = [f"gpu.{name}" for name in ("machine", "attention", "losses", "training", "decoding")]
    modules = [*parts, "gpu.resume", "gpu.cells", "lemur.training.stage", "lemur.training.lora"]
    used = set().union(*(imported(name, set()) for name in modules)) - sys.stdlib_module_names
    lines = [*pinned("oldest"), *pinned("machine")]
    brought = {re.split("[=<>]", line)[0] for line in lines} | {"yaml", "huggingface_hub"}
    assert {"torch", "numpy", "peft"} <= used <= brought


def test_both_environments_are_pinned_and_within_the_bounds():
    """What a machine brought is no older than what is claimed to run."""
    bounds = dict(line.split("==") for line in pinned("oldest"))
    brought = dict(line.split("==") for line in pinned("machine") if "==" in line)
    assert bounds.keys() - {"psutil"} <= brought.keys()
    for name, release in bounds.items():
        if name in brought:
            assert number(brought[name]) >= number(release), name


def number(release):
    return tuple(int(part) for part in release.split("."))
