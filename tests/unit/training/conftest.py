"""Fixtures of the training tests: a tiny model and packed data, made once."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from lemur.models import bfloat16
from tiny_training import mixed_lengths, packed, tiny_model


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def _bfloat16():
    """bf16 is computed as bfloat16 here also on a CPU that would take float32 instead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bfloat16, "native", lambda device: True)
        yield


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base") / "model")


@pytest.fixture(scope="session")
def index(tmp_path_factory) -> Path:
    return packed(tmp_path_factory.mktemp("data"), mixed_lengths(20, 16), 16)


@pytest.fixture
def small_disk(tmp_path):
    """Makes a file system of so many MB: returns its folder, and what changes its size."""
    disk = tmp_path / "disk"

    def mount(option: str) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", option, "tmpfs", str(disk)], capture_output=True
        )
        if done.returncode:
            pytest.skip("root: this container may not mount file systems")

    def make(megabytes: int):
        if os.geteuid():
            pytest.skip("root: mounting a small file system needs it")
        disk.mkdir()
        mount(f"size={megabytes}m")
        return disk, lambda more: mount(f"remount,size={more}m")

    yield make
    if disk.is_mount():
        subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def ctrl_c():
    """As in a terminal: what a script starts in the background is to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
