"""lemur.download.repository: single files at a commit, from a mirror or by address."""

import os

import pytest
from hubserver import COMMIT
from hubserver.made import sha256
from made_downloads import fetch, refused


def repository(hub, data=b"rows\n"):
    hub.raw[f"owner/repo/{COMMIT}/data/test.jsonl"] = data
    source = {
        "url": hub.url + "/raw/{repository}/{commit}/{path}",
        "repository": "owner/repo",
        "commit": COMMIT,
        "path": "data/test.jsonl",
    }
    return {"name": "toy", "from": source, "sha256": sha256(b"rows\n"), "size": 5, "licence": "MIT"}


def test_repository_file_keeps_its_folders(hub, out, transfer):
    manifest = fetch(repository(hub), out, transfer)
    assert [file["path"] for file in manifest["files"]] == ["files/data/test.jsonl"]


def test_mirror_comes_first(hub, out, transfer, tmp_path, monkeypatch):
    copy = tmp_path / "mirror/owner/repo" / COMMIT / "data/test.jsonl"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"rows\n")
    monkeypatch.setenv("LEMUR_MIRROR", os.pathsep.join(["/no/such", str(tmp_path / "mirror")]))
    monkeypatch.setenv("LEMUR_OFFLINE", "1")
    fetch(repository(hub), out, transfer)
    assert (out.parent / "files/data/test.jsonl").read_bytes() == b"rows\n"
    assert hub.requests == []


def test_wrong_mirror_is_passed_over(hub, out, transfer, tmp_path, monkeypatch, capsys):
    copy = tmp_path / "mirror/owner/repo" / COMMIT / "data/test.jsonl"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"rowz\n")
    monkeypatch.setenv("LEMUR_MIRROR", str(tmp_path / "mirror"))
    fetch(repository(hub), out, transfer)
    assert (out.parent / "files/data/test.jsonl").read_bytes() == b"rows\n"
    assert "LEMUR_MIRROR" in capsys.readouterr().err


def test_parts_share_the_files(hub, tmp_path, transfer):
    spec = repository(hub)
    names = [f"{letter}.txt" for letter in "abcde"]
    for name in names:
        hub.raw[f"owner/repo/{COMMIT}/{name}"] = name.encode()
    listed = [{"path": n, "sha256": sha256(n.encode()), "size": 5} for n in reversed(names)]
    spec["from"] = spec["from"] | {"files": listed}
    found = []
    for part in range(7):
        manifest = fetch(spec, tmp_path / f"part-{part}-of-7/manifest.json", transfer, part, 7)
        found.append([file["path"] for file in manifest["files"]])
    assert found == [[f"files/{name}"] for name in names] + [[], []]


@pytest.mark.parametrize("path", ["../../escape", "/etc/escape", "a/../../escape"])
def test_a_pin_cannot_write_elsewhere(hub, out, transfer, path):
    spec = repository(hub)
    spec["from"] = spec["from"] | {"path": path}
    assert "refused" in refused(spec, out, transfer)
