"""pip's configuration, read as pip reads it; compared with pip itself where it is there."""

import shutil
import subprocess

import pytest
from lemur.download import pip_settings
from lemur.download.failures import shown
from lemur.download.session import Session


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("PIP_CONFIG_FILE", "XDG_CONFIG_HOME", "PIP_CERT", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_default(home, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    assert pip_settings.index_url("https://d.example/simple") == "https://d.example/simple/"


def test_user_file(home):
    write(home / ".config/pip/pip.conf", "[global]\nindex-url = https://u.example/simple\n")
    assert pip_settings.index_url("x") == "https://u.example/simple/"


def test_command_section_wins_and_environment_wins_over_all(home, monkeypatch):
    write(
        home / ".config/pip/pip.conf",
        "[install]\nindex-url = https://i.example/\n[global]\nindex-url = https://g.example/\n",
    )
    assert pip_settings.index_url("x") == "https://i.example/"
    monkeypatch.setenv("PIP_INDEX_URL", "https://e.example/")
    assert pip_settings.index_url("x") == "https://e.example/"


def test_extra_indexes_are_left_out(home, monkeypatch):
    write(home / ".config/pip/pip.conf", "[global]\nextra-index-url = https://extra.example/\n")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://extra2.example/")
    assert "extra" not in pip_settings.index_url("https://d.example/")


def test_damaged_file_is_passed_over(home):
    write(home / ".config/pip/pip.conf", "index-url = outside of any section\n")
    assert pip_settings.setting("index-url") is None


@pytest.mark.skipif(not shutil.which("pip"), reason="python: there is no pip to compare with")
def test_same_as_pip(home, monkeypatch):
    write(
        home / ".config/pip/pip.conf",
        "[global]\nindex-url = https://u.example/simple\ntimeout = 33\n",
    )
    monkeypatch.delenv("PIP_DEFAULT_TIMEOUT", raising=False)
    asked = ["pip", "config", "get", "global.index-url"]
    pip = subprocess.run(asked, capture_output=True, text=True)
    if pip.returncode:
        pytest.skip("python: this pip has no `config get`")
    assert pip_settings.setting("index-url") == pip.stdout.strip()
    assert pip_settings.timeout() == 33


def test_certificates_of_pip_win(home, monkeypatch, tmp_path):
    bundle = tmp_path / "own.pem"
    bundle.write_text("")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "other.pem"))
    monkeypatch.setenv("PIP_CERT", str(bundle))
    seen = {}
    session = Session()
    monkeypatch.setattr("requests.Session.send", lambda self, request, **kw: seen.update(kw))
    session.request("GET", "https://d.example/")
    assert seen["verify"] == str(bundle)
    assert seen["timeout"] == session.limit


def test_no_secret_is_shown():
    assert shown("https://user:secret@h.example:8443/a/b?token=c#d") == "https://h.example:8443/a/b"
