"""The settings of config/figures.yaml, and the files of a tiny run."""

import json

import pytest
import trial_run
import yaml
from lemur.core.files import canonical
from lemur.core.provenance import ROOT
from lemur.figures import settings


@pytest.fixture
def config():
    return yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())


@pytest.fixture
def spec(config):
    """A figure's settings as its script gets them: by way of canonical JSON, with sorted keys."""
    return lambda name, recipe=None: json.loads(canonical(settings.spec(config, name, recipe)))


@pytest.fixture
def write(tmp_path):
    return lambda name, value: trial_run.write_file(tmp_path / name, value)


@pytest.fixture
def run(tmp_path):
    return trial_run.files(tmp_path)
