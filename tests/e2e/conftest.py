"""One smoke run, shared by the tests of this folder."""

import os
import shutil
import time
from pathlib import Path

import pytest
from snake import snakemake

# As those set it who share a folder with a group.
GROUP = 0o002


class Run:
    """A working directory in which the smoke recipe was run to its report.

    ``modes``: permissions of all that the run made, by path below ``folder``.
    """

    def __init__(self, folder):
        self.folder = folder
        self.results = folder / "results"
        self.recipe = self.results / "smoke"
        self.modes = {
            str(path.relative_to(folder)): path.stat().st_mode & 0o777
            for name in ("results", "resources", "logs", "benchmarks")
            for path in (folder / name).rglob("*")
        }


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke")
    # A finished run that is there already, while tests are being written.
    if there := os.environ.get("LEMUR_SMOKE_RUN"):
        for name in ("results", "resources", "logs", "benchmarks", ".snakemake"):
            shutil.copytree(Path(there) / name, folder / name, symlinks=True)
    began = time.monotonic()
    before = os.umask(GROUP)
    try:
        done = snakemake(folder, "--cores", "2", "--config", "recipe=smoke")
    finally:
        os.umask(before)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-8000:]
    print(f"smoke took {time.monotonic() - began:.0f} s")
    return Run(folder)
