"""The bare Debian of `make test-bare`: what it is given, and that removing it deletes nothing else."""

import subprocess
import sys

import bare
import pytest
from lemur.core.provenance import ROOT


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """An apt-get that lists the archives that a Debian 12 reads."""
    rows = [("Debian", "http://mirror/debian/", "bookworm"),
            ("Debian", "http://mirror/debian/", "bookworm-updates"),
            ("Debian-Security", "http://mirror/security/", "bookworm-security")]  # fmt: skip
    lines = "".join(f"Debian\t{label}\t{uri}\t{name}\tmain\n" for label, uri, name in rows)
    (tmp_path / "lines").write_text(lines + "Other\tOther\thttp://other/\tbookworm\tmain\n")
    program = tmp_path / "apt-get"
    program.write_text(f'#!/bin/sh\n[ "$1" = indextargets ] && cat "{tmp_path}/lines"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def test_the_archives_that_apt_uses_serve_another_suite(apt):
    assert bare.apt_sources("trixie") == [
        ("http://mirror/debian/", "trixie", "main"),
        ("http://mirror/debian/", "trixie-updates", "main"),
        ("http://mirror/security/", "trixie-security", "main"),
    ]
    assert bare.apt_sources("sid") == [("http://mirror/debian/", "sid", "main")]


def test_without_apt_there_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bare.apt_sources("trixie") == []


def test_variables_of_package_clients_alone_are_handed_on(monkeypatch):
    for name in ("PIP_INDEX_URL", "https_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO", "UV_INDEX"):
        monkeypatch.setenv(name, "x")
    for name in ("PYTHONPATH", "LEMUR_MIRROR", "CXX", "LANG"):
        monkeypatch.setenv(name, "x")
    given = bare.client_settings()
    assert {"PIP_INDEX_URL", "https_proxy", "SSL_CERT_FILE", "GIT_SSL_CAINFO", "UV_INDEX"} <= set(given)  # fmt: skip
    assert not {"PYTHONPATH", "LEMUR_MIRROR", "CXX", "LANG", "HOME", "PATH"} & set(given)


def test_folders_that_pip_is_told_to_look_in_are_found(tmp_path):
    (tmp_path / "index" / "simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    text = (
        f"[global]\nfind-links = {tmp_path}/wheels\ncert = /etc/hostname\n"
        f"extra-index-url = file://{tmp_path}/index/simple https://example.org/simple\n"
    )
    assert bare.local_folders(text) == [f"{tmp_path}/index", f"{tmp_path}/wheels"]


def test_a_root_with_a_mount_in_it_is_left(tmp_path):
    kept, root = tmp_path / "kept", tmp_path / "root of it"
    (root / "mnt").mkdir(parents=True)
    kept.mkdir()
    (kept / "file").touch()
    call = f"import sys; sys.path.insert(0, {str(ROOT / 'tests')!r}); import bare, pathlib; bare.remove(pathlib.Path({str(root)!r}))"
    script = 'mount --bind "$1" "$2/mnt" || exit 7; shift 2; "$@"'
    command = ["unshare", "--mount", "bash", "-c", script, "x", kept, root, sys.executable, "-c"]
    done = subprocess.run([*command, call], capture_output=True, text=True)
    if done.returncode in (1, 7) and not done.stdout:
        pytest.skip(f"root: mounting needs it: {done.stderr.strip()}")
    assert "mounted in it" in done.stdout, done
    assert (kept / "file").exists() and root.exists()
    bare.remove(root)
    assert not root.exists() and (kept / "file").exists()


def test_who_is_not_root_is_told(monkeypatch, capsys):
    monkeypatch.setattr(bare.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["bare.py"])
    assert bare.main() == 3  # nothing was tried, which is no success
    assert "skipped: root:" in capsys.readouterr().out


def test_a_suite_that_could_not_be_made_is_no_success(monkeypatch, capsys):
    def try_suite(suite, targets, folder):
        if suite == "sid":
            raise bare.CannotError("no debootstrap")
        return suite == "broken"

    monkeypatch.setattr(bare.os, "geteuid", lambda: 0)
    monkeypatch.setattr(bare, "try_suite", try_suite)
    for suites, code in ((["trixie"], 0), (["trixie", "sid"], 3), (["sid", "broken"], 1)):
        monkeypatch.setattr(sys, "argv", ["bare.py", "--suite", *suites])
        assert bare.main() == code, suites
    assert "bare: skipped: sid: no debootstrap" in capsys.readouterr().out


@pytest.mark.parametrize("code, ends", [(0, 0), (3, 0), (1, 1)])
def test_only_the_long_tests_go_on_without_a_bare_debian(tmp_path, code, ends):
    """The last line of `make test-long`, with a Python that leaves with that code."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexit {code}\n")
    python.chmod(0o755)
    for target in ("test-long", "test-bare"):
        shown = subprocess.run(
            ["make", "-n", target, f"PYTHON={python}"], cwd=ROOT, capture_output=True, text=True
        )
        (line,) = [line for line in shown.stdout.splitlines() if "tests/bare.py" in line]
        assert "--suite bookworm trixie" in line
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
        assert done.returncode == (ends if target == "test-long" else code)
        assert ("not tried in a bare Debian" in done.stdout) == (
            target == "test-long" and code == 3
        )


def test_what_is_kept_of_a_commands_output():
    """The last counts, which are those of all groups, and why something was skipped or failed."""
    lines = [
        "== data: 3 passed, 0 failed in 2 s", "7 passed, 1 failed, 0 skipped",
        "skipped 2: nix: it is not installed", "FAILED tests/unit/x.py::test", "error: no such file",
        "errors were made", "took 3 s", "12 passed, 0 failed, 2 skipped",
    ]  # fmt: skip
    assert bare.closing(lines) == [*lines[2:5], lines[-1]]
    assert bare.closing(["took 3 s"]) == []
