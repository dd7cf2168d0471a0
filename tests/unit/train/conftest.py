"""Fixtures of the training tests: a tiny model and packed data, made once."""

from pathlib import Path

import pytest
import torch
from tiny_training import mixed_lengths, packed, tiny_model


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base") / "model")


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Path:
    return packed(tmp_path_factory.mktemp("data"), mixed_lengths(20, 16), 16)
