"""The Makefile's targets that call Snakemake: each command is one that Snakemake takes."""

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
