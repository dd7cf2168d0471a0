"""A server with faults, and a transfer that does not wait."""

import time
import types

import huggingface_hub.utils._http
import pytest
from hubserver import HubServer
from lemur.download import debian, failures, hub_lock, retry
from lemur.download.session import Session
from lemur.download.transfer import Transfer
from made_downloads import BODY


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch, tmp_path):
    """No user's settings reach a test: no mirror, token, offline switch or pip configuration."""
    for name in ("LEMUR_MIRROR", "LEMUR_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("LEMUR_DEBIAN_MIRROR", raising=False)
    monkeypatch.setattr(hub_lock, "PATH", tmp_path / "hub.lock.json")
    monkeypatch.setattr(debian, "_of_apt", list)
    monkeypatch.setattr(debian, "default_archives", list)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def hub(monkeypatch):
    with HubServer() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("PIP_INDEX_URL", server.index_url)
        monkeypatch.setenv("npm_config_registry", f"{server.url}/npm/")
        monkeypatch.setenv("LEMUR_DEBIAN_MIRROR", f"{server.url}/debian/ {server.url}/security")
        yield server


@pytest.fixture
def waits(monkeypatch):
    """The pauses that were asked for, none of which is waited."""
    asked: list[float] = []
    monkeypatch.setattr(retry, "sleep", asked.append)
    # The library's module sees a clock of its own, so that no other thread's sleep is touched.
    clock = types.SimpleNamespace(sleep=asked.append, time=time.time, monotonic=time.monotonic)
    monkeypatch.setattr(huggingface_hub.utils._http, "time", clock)
    return asked


@pytest.fixture
def transfer(waits):
    return Transfer(Session(), sleep=waits.append)


@pytest.fixture
def tries():
    return failures.TRIES


@pytest.fixture
def out(tmp_path):
    return tmp_path / "resources" / "corpora" / "toy" / "part-0-of-1" / "manifest.json"


@pytest.fixture
def index(hub):
    hub.packages["toy"] = {"toy-1.0.tar.gz": BODY, "toy-1.0-py3-none-any.whl": b"other"}
    return hub
