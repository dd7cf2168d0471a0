"""npm's registry and Debian's archive, asked as npm and apt would, on the local server."""

import subprocess

import pytest
from hubserver import Fault
from hubserver.made import sha256
from lemur.download import debian, npm_settings
from made_downloads import BODY, fetch, left, pin, refused

POOL = "pool/main/t/toy/toy-doc_1.0-1_all.deb"
SECURITY = "pool/updates/main/t/toy/toy-doc_1.0-1_all.deb"


def npm(**changes):
    where = {"index": "npm", "package": "toy", "version": "1.0.0", "file": "toy-1.0.0.tgz"}
    return pin() | {"from": where | changes}


def deb(**changes):
    where = {"index": "debian", "package": "toy-doc", "version": "1.0-1", "source": "toy"}
    return pin() | {"from": where | {"file": "toy-doc_1.0-1_all.deb"} | changes}


def test_npm_tarball_comes_from_where_the_registry_says(hub, out, transfer):
    hub.npm["toy"] = {"1.0.0": BODY}
    manifest = fetch(npm(), out, transfer)
    assert manifest["files"][0]["sha256"] == sha256(BODY)
    assert left(out) == ["toy-1.0.0.tgz"]


def test_npm_package_of_a_scope(hub, out, transfer):
    hub.npm["@owner/toy"] = {"1.0.0": BODY}
    fetch(npm(package="@owner/toy"), out, transfer)
    assert left(out) == ["toy-1.0.0.tgz"]


def test_npm_busy_is_asked_again(hub, out, transfer, waits):
    hub.npm["toy"] = {"1.0.0": BODY}
    hub.faults = [Fault("/npm/toy/1.0.0", times=2, status=503)]
    fetch(npm(), out, transfer)
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"package": "other"}, "the npm registry has no other 1.0.0"),
        ({"version": "2.0.0"}, "the npm registry has no toy 2.0.0"),
        ({"file": "toy-1.0.tgz"}, "the tarball of toy 1.0.0 is 'toy-1.0.0.tgz', not 'toy-1.0.tgz'"),
    ],
)
def test_npm_refusals(hub, out, transfer, changes, says):
    hub.npm["toy"] = {"1.0.0": BODY}
    assert says in refused(npm(**changes), out, transfer)


def test_npm_answer_of_something_else(hub, out, transfer):
    hub.npm["toy"] = {"1.0.0": BODY}
    hub.faults = [Fault("/npm/toy/1.0.0")]
    assert "does not answer as an npm registry" in refused(npm(), out, transfer)


@pytest.mark.parametrize("make", [npm, deb])
def test_wrong_content_is_refused(hub, out, transfer, make):
    other = b"x" + BODY[1:]
    hub.npm["toy"] = {"1.0.0": other}
    hub.debian[f"debian/{POOL}"] = other
    assert "wrong sha256" in refused(make(), out, transfer)


def test_npm_second_run_asks_nobody(hub, out, transfer, monkeypatch):
    hub.npm["toy"] = {"1.0.0": BODY}
    first = fetch(npm(), out, transfer)
    hub.requests.clear()
    monkeypatch.setenv("LEMUR_OFFLINE", "1")
    assert fetch(npm(), out, transfer) == first
    assert hub.requests == []


@pytest.mark.parametrize("held", [f"debian/{POOL}", f"security/{SECURITY}"])
def test_debian_release_and_security_update(hub, out, transfer, held):
    hub.debian[held] = BODY
    fetch(deb(), out, transfer)
    assert left(out) == ["toy-doc_1.0-1_all.deb"]


def test_debian_source_package(hub, out, transfer):
    hub.debian["debian/pool/main/libt/libtoy/libtoy_1.0.orig.tar.xz"] = BODY
    where = {"index": "debian-src", "package": "libtoy", "version": "1.0"}
    fetch(pin() | {"from": where | {"file": "libtoy_1.0.orig.tar.xz"}}, out, transfer)
    assert left(out) == ["libtoy_1.0.orig.tar.xz"]


def test_debian_file_that_was_replaced_is_passed_over(hub, out, transfer):
    hub.debian[f"debian/{POOL}"] = BODY + b"more"
    hub.debian[f"security/{SECURITY}"] = BODY
    fetch(deb(), out, transfer)


def test_debian_cut_download_goes_on(hub, out, transfer, waits):
    hub.debian[f"debian/{POOL}"] = BODY
    # The first request that the fault meets asks for the head alone and has no body to cut.
    hub.faults = [Fault(POOL, times=2, cut=100_000)]
    fetch(deb(), out, transfer)
    starts = [r.headers.get("Range") for r in hub.file_requests(POOL)]
    assert starts == [None, None, "bytes=65536-"]


def test_debian_has_moved_on_and_a_snapshot_has_not(hub, out, transfer, monkeypatch):
    spec = deb(snapshot="20261101T000000Z")
    line = refused(spec, out, transfer)
    assert "Debian has moved on" in line
    assert "LEMUR_DEBIAN_MIRROR" in line and "20261101T000000Z" in line
    hub.debian[f"20261101T000000Z/{POOL}"] = BODY
    monkeypatch.setenv("LEMUR_DEBIAN_MIRROR", f"{hub.url}/{{snapshot}}/")
    fetch(spec, out, transfer)


def test_debian_mirror_that_is_no_address(hub, out, transfer, monkeypatch):
    monkeypatch.setenv("LEMUR_DEBIAN_MIRROR", "/srv/debian")
    assert "LEMUR_DEBIAN_MIRROR" in refused(deb(), out, transfer)


def test_only_debians_archives_of_apt_are_asked(monkeypatch):
    monkeypatch.undo()
    said = (
        "Debian http://d.example/debian/\nUbuntu http://u.example/ubuntu/\n"
        "Debian file:/srv/debian\nDebian http://d.example/debian/\n http://n.example/\n"
    )
    done = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(debian.subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(debian.shutil, "which", lambda _: "/usr/bin/apt-get")
    assert debian._of_apt() == ["http://d.example/debian/"]
    monkeypatch.setattr(debian.shutil, "which", lambda _: None)
    assert debian._of_apt() == []


def test_public_archives_are_the_last_ones_asked(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(debian, "_of_apt", lambda: ["http://d.example/debian/"])
    monkeypatch.setenv("LEMUR_DEBIAN_MIRROR", "http://m.example/ http://s.example/{snapshot}/")
    asked = debian.archives("20261101T000000Z")
    first = ["http://m.example", "http://s.example/20261101T000000Z", "http://d.example/debian"]
    assert asked[:3] == first
    assert [url.split("/")[0] for url in asked[3:]] == ["https:", "https:"]
    assert asked[4] == f"{asked[3]}-security"
    assert "{" not in "".join(debian.archives(None))


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY", "npm_config_userconfig"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("npm_config_globalconfig", str(tmp_path / "global"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_npm_settings_in_npms_order(home, monkeypatch):
    assert npm_settings.registry("https://d.example/") == "https://d.example"
    (home / "global").write_text("registry=https://g.example/\n")
    assert npm_settings.registry("x") == "https://g.example"
    monkeypatch.setenv("WHERE", "u.example")
    (home / ".npmrc").write_text("cafile=/x\nregistry = https://${WHERE}/npm/\n")
    assert npm_settings.registry("x") == "https://u.example/npm"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "https://e.example/")
    assert npm_settings.registry("x") == "https://e.example"
