"""Call Snakemake on this checkout as a user would, and read its job table."""

import os
import re
import subprocess
from pathlib import Path

from lemur.provenance import ROOT


def snakemake(
    folder: Path, *arguments: str, before: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess:
    """Run snakemake with ``folder`` as working directory; ROOT itself works like a checkout.

    ``before``: words of the command line that start it, as in ``("unshare", "-n")``.
    """
    command = [*before, str(ROOT / "workflow" / "env-run"), "workflow", "snakemake"]
    if folder != ROOT:
        command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
        command += ["--workflow-profile", str(ROOT / "workflow" / "profiles" / "default")]
    environment = {**os.environ, "SLURM_CONF": "/dev/null", **variables}
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, env=environment
    )


def planned(folder: Path, *arguments: str) -> dict[str, int]:
    """{rule: jobs} that a dry run would do; empty when there is nothing to be done."""
    done = snakemake(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    table = re.search(r"^Job stats:\njob\s+count\n[-\s]+\n(.*?)^total", done.stdout, re.M | re.S)
    if table is None:
        assert "Nothing to be done" in done.stdout + done.stderr, done.stdout + done.stderr
        return {}
    return {
        line.split()[0]: int(line.split()[1])
        for line in table.group(1).splitlines()
        if line.split()[0] != "all"
    }


def values(**changed: object) -> str:
    """``set=...`` for --config: dots are written as double underscores."""
    inside = ", ".join(f"{key.replace('__', '.')}: {value}" for key, value in changed.items())
    return f"set={{{inside}}}"
