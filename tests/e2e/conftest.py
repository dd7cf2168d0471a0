"""One smoke run, shared by the tests of this folder."""

import time

import pytest
from snake import snakemake


class Run:
    """A working directory in which the smoke recipe was run to its report."""

    def __init__(self, folder):
        self.folder = folder
        self.results = folder / "results"
        self.recipe = self.results / "smoke"


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smoke")
    began = time.monotonic()
    done = snakemake(folder, "--cores", "2", "--config", "recipe=smoke")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-8000:]
    print(f"smoke took {time.monotonic() - began:.0f} s")
    return Run(folder)
