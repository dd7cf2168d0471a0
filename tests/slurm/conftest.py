"""A cluster for the tests of this folder, started once and stopped with them."""

import contextlib
import shutil

import pytest
from lemur.core.files import sha256_of
from slurm_cluster import NoClusterError, running
from snake import snakemake
from training_job import DONE, RECIPE, WEIGHTS, Training


@contextlib.contextmanager
def running_or_skipped(home, accounting="no"):
    try:
        with running(home, accounting) as made:
            yield made
    except NoClusterError as error:
        pytest.skip(f"root: {error}")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    with running_or_skipped(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture
def accounted(tmp_path):
    """Another cluster, with accounting, for one test."""
    with running_or_skipped(tmp_path / "slurm", "yes") as made:
        yield made


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A folder in which everything up to training is done, and the weights of a quiet run."""
    folder = tmp_path_factory.mktemp("prepared")
    done = snakemake(folder, "--cores", "2", DONE, *RECIPE)
    assert done.returncode == 0, done.stderr[-4000:]
    weights = sha256_of(folder / WEIGHTS)
    shutil.rmtree(folder / "results" / "smoke" / "pretrain")
    return folder, weights


@pytest.fixture
def training(cluster, prepared, tmp_path):
    """The training of a copy of that folder, not yet started."""
    folder = tmp_path / "work"
    shutil.copytree(prepared[0], folder, symlinks=True)
    made = Training(cluster, folder)
    yield made
    made.clear()
