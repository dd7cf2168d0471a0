"""The Makefile's targets that call Snakemake: each command is one that Snakemake takes."""

import shlex
import subprocess

import pytest
from lemur.core.provenance import ROOT


@pytest.mark.parametrize("target", ["fetch", "figures", "bench-evaluate"])
def test_snakemake_takes_what_make_says(target):
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    commands = [line for line in told.stdout.splitlines() if " snakemake " in line]
    assert commands, told.stderr
    for command in commands:
        words = [*shlex.split(command), "--dry-run", "--quiet"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr


# What a target builds before it works, call by call; without names it is all that every run needs.
BUILT = {
    "mini": ["", "session robocodegen"], "smoke": ["", "session robocodegen bfcl"], "envs": [""],
    "fetch": ["workflow data"], "plan": ["workflow"], "figures": ["workflow figures"],
    "bench-slurm": ["workflow figures"], "lint": ["workflow"], "format": ["workflow"],
    "clean-sft": ["workflow"], "help": [], "gpu-check": [],
}  # fmt: skip


@pytest.mark.parametrize("target", BUILT)
def test_a_target_builds_what_it_needs_and_no_more(target):
    told = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True).stdout
    calls = [line.split("workflow/env-build", 1)[1].strip() for line in told.splitlines()
             if " workflow/env-build" in line]  # fmt: skip
    assert calls == BUILT[target]
    used = {words[at + 1] for words in map(str.split, told.splitlines())
            for at, word in enumerate(words) if word.endswith("workflow/env-run")}  # fmt: skip
    assert "" in calls or used <= set(" ".join(calls).split()), used
