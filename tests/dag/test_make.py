"""The Makefile's targets that call Snakemake: each command is one that Snakemake takes."""

import runpy
import shlex
import subprocess

import pytest
from lemur.provenance import ROOT


@pytest.mark.parametrize("target", ["fetch", "figures", "bench-evaluate"])
def test_snakemake_takes_what_make_says(target):
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    commands = [line for line in told.stdout.splitlines() if " snakemake " in line]
    assert commands, told.stderr
    for command in commands:
        words = [*shlex.split(command), "--dry-run", "--quiet"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr


# What a target builds before it works: () is every environment that a run needs.
NEEDS = {
    "mini": (), "smoke": (), "envs": (), "fetch": ("workflow", "data"), "plan": ("workflow",),
    "figures": ("workflow", "figures"), "bench-slurm": ("workflow", "figures"),
    "lint": ("workflow",), "format": ("workflow",), "clean-sft": ("workflow",), "help": None,
}  # fmt: skip


@pytest.mark.parametrize("target", NEEDS)
def test_a_target_builds_what_it_needs_and_no_more(target):
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True).stdout
    built = [line.split("workflow/env-build", 1)[1].split() for line in told.splitlines()
             if " workflow/env-build" in line]  # fmt: skip
    assert built == ([] if NEEDS[target] is None else [list(NEEDS[target])])
    used = {words[at + 1] for words in map(str.split, told.splitlines())
            for at, word in enumerate(words) if word.endswith("workflow/env-run")}  # fmt: skip
    assert NEEDS[target] == () or used <= set(NEEDS[target] or ()), used


def test_an_environment_without_torch_asks_for_no_build_of_it():
    """`make plan` and `make figures` fetch no wheel of it: the locks are the same on every device."""
    program = runpy.run_path(str(ROOT / "workflow" / "env-build"))
    without = {name for name in ("workflow", "data", "figures", "train", "evaluate")
               if not program["depends_on_device"](name)}  # fmt: skip
    assert without == {"workflow", "data", "figures"}
