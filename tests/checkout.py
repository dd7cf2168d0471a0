"""A copy of what a checkout holds, to be edited or to lie in a folder of another name."""

import shutil
import subprocess
from pathlib import Path

from lemur.core.provenance import ROOT

COPIED = ("config", "rules", "scripts", "workflow", "reports", "envs", "profiles", "slurm",
          "Snakefile", "Makefile", "pyproject.toml")  # fmt: skip


def checkout(folder: Path) -> Path:
    """Copy this checkout into ``folder``, a new one, with the environments of this one."""
    folder.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder)
        elif (ROOT / name).is_symlink():
            (folder / name).symlink_to((ROOT / name).readlink())
        else:
            ignore = shutil.ignore_patterns("__pycache__", "site.yaml")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    (folder / ".envs").symlink_to(ROOT / ".envs")
    return folder


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """``snakemake`` in a checkout, as somebody who works in it gives it."""
    command = ["workflow/env-run", "workflow", "snakemake", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)
