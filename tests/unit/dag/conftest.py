"""Runs as Snakemake would be asked for them, resolved without Snakemake."""

import functools
import os

import pytest
from lemur.dag import run as runs


@pytest.fixture(scope="session")
def asked_for(tmp_path_factory):
    """A function of the words of ``--config`` that gives the resolved run; each is resolved once."""
    folder = tmp_path_factory.mktemp("runs")

    @functools.cache
    def resolved(*words):
        before = os.getcwd()
        os.chdir(folder)
        try:
            config, project = runs.read_config({}, words)
            return runs.resolve(config, project)
        finally:
            os.chdir(before)

    return resolved


@pytest.fixture(scope="session")
def smoke(asked_for):
    return asked_for("recipe=smoke")


@pytest.fixture(scope="session")
def study(asked_for):
    return asked_for("study=smallest")
