"""Fetching through a real HTTP server on loopback that fails in the ways that networks do."""

import ctypes
import errno
import fcntl
import json
import os
import random
import subprocess
import sys
import time
import types

import pytest
from hubserver import COMMIT, Fault
from hubserver.made import sha256, tar_gz
from lemur.corpus import download
from lemur.corpus import hub as hub_module
from lemur.errors import UserError
from lemur.provenance import ROOT

BODY = random.Random(1).randbytes(300_000)


def pin(data=BODY, **changes):
    spec = {
        "name": "toy",
        "from": {"index": "pypi", "package": "toy", "version": "1.0", "file": "toy-1.0.tar.gz"},
        "sha256": sha256(data),
        "size": len(data),
        "licence": "MIT",
    }
    return spec | changes


@pytest.fixture
def out(tmp_path):
    return tmp_path / "resources" / "corpora" / "toy" / "part-0-of-1" / "manifest.json"


@pytest.fixture
def index(hub):
    hub.packages["toy"] = {"toy-1.0.tar.gz": BODY, "toy-1.0-py3-none-any.whl": b"other"}
    return hub


def fetch(spec, out, transfer, part=0, parts=1):
    download.run(spec, part, parts, out, transfer)
    return json.loads(out.read_text())


def left(out):
    """Names under files/: what a failed download leaves behind."""
    folder = out.parent / "files"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def refused(spec, out, transfer):
    """The one line; no manifest and no file under its final name may stand after it."""
    with pytest.raises(UserError) as caught:
        fetch(spec, out, transfer)
    line = str(caught.value)
    assert "\n" not in line
    assert not out.exists()
    assert [name for name in left(out) if not name.endswith(".partial")] == []
    return line


def test_fetches_and_lists(index, out, transfer):
    assert fetch(pin(), out, transfer) == {
        "name": "toy",
        "part": 0,
        "parts": 1,
        "licence": "MIT",
        "files": [{"path": "files/toy-1.0.tar.gz", "sha256": sha256(BODY), "size": len(BODY)}],
    }
    assert (out.parent / "files/toy-1.0.tar.gz").read_bytes() == BODY
    assert left(out) == ["toy-1.0.tar.gz"]


def test_second_run_asks_nobody(index, out, transfer, monkeypatch):
    first = fetch(pin(), out, transfer)
    index.requests.clear()
    monkeypatch.setenv("LEMUR_OFFLINE", "1")
    assert fetch(pin(), out, transfer) == first
    assert index.requests == []


def test_damaged_file_is_fetched_again(index, out, transfer):
    fetch(pin(), out, transfer)
    (out.parent / "files/toy-1.0.tar.gz").write_bytes(BODY[:-1] + b"x")
    fetch(pin(), out, transfer)
    assert (out.parent / "files/toy-1.0.tar.gz").read_bytes() == BODY


def test_cut_connection_goes_on_where_it_stopped(index, out, transfer, waits):
    index.faults = [Fault("toy-1.0.tar.gz", times=3, cut=70_000)]
    fetch(pin(), out, transfer)
    asked = index.file_requests("toy-1.0.tar.gz")
    starts = [request.headers.get("Range") for request in asked]
    # Whole chunks of 65,536 bytes are kept of the 70,000 that came each time.
    assert starts == [None, "bytes=65536-", "bytes=131072-", "bytes=196608-"]
    assert asked[-1].sent == len(BODY) - 196_608
    assert len(waits) == 3


def test_killed_job_goes_on_where_it_stopped(index, out, transfer, tries):
    index.faults = [Fault("toy-1.0.tar.gz", cut=100_000), Fault("toy-1.0.tar.gz", tries, cut=0)]
    line = refused(pin(), out, transfer)
    assert "the same command continues" in line
    assert left(out) == [f"toy-1.0.tar.gz.{sha256(BODY)[:8]}.partial"]
    index.faults, index.requests = [], []
    fetch(pin(), out, transfer)
    (asked,) = index.file_requests("toy-1.0.tar.gz")
    assert asked.headers["Range"] == "bytes=65536-" and asked.sent == len(BODY) - 65_536
    assert left(out) == ["toy-1.0.tar.gz"]


def test_sigkill_leaves_nothing_under_a_final_name(index, tmp_path, monkeypatch):
    folder = tmp_path / "part-0-of-1"
    command = [sys.executable, str(ROOT / "scripts/1_corpus/download.py")]
    command += ["--spec", json.dumps(pin()), "--out", str(folder / "manifest.json")]
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow"))
    index.faults = [Fault("toy-1.0.tar.gz", cut=150_000, stall=60)]
    job = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    partial = folder / f"files/toy-1.0.tar.gz.{sha256(BODY)[:8]}.partial"
    until = time.monotonic() + 30
    while time.monotonic() < until and not (partial.exists() and partial.stat().st_size == 131_072):
        time.sleep(0.02)
    job.kill()
    job.wait()
    assert {path.name for path in (folder / "files").iterdir()} == {partial.name}
    assert not (folder / "manifest.json").exists()
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert index.file_requests("toy-1.0.tar.gz")[-1].headers["Range"] == "bytes=131072-"
    assert (folder / "files/toy-1.0.tar.gz").read_bytes() == BODY


def test_server_without_ranges_starts_over(index, out, transfer):
    index.faults = [Fault("toy-1.0.tar.gz", cut=70_000), Fault("toy-1.0.tar.gz", no_ranges=True)]
    fetch(pin(), out, transfer)
    assert (out.parent / "files/toy-1.0.tar.gz").read_bytes() == BODY


def test_wrong_partial_file_is_given_up(index, out, transfer):
    files = out.parent / "files"
    files.mkdir(parents=True)
    (files / f"toy-1.0.tar.gz.{sha256(BODY)[:8]}.partial").write_bytes(b"x" * 1000)
    fetch(pin(), out, transfer)
    assert (files / "toy-1.0.tar.gz").read_bytes() == BODY


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_busy_server_is_asked_again(index, out, transfer, waits, status):
    index.faults = [Fault("toy-1.0.tar.gz", times=2, status=status)]
    fetch(pin(), out, transfer)
    assert len(waits) == 2 and waits[1] > waits[0] / 2


def test_retry_after_is_obeyed(index, out, transfer, waits):
    index.faults = [Fault("toy-1.0.tar.gz", status=429, headers={"Retry-After": "7"})]
    fetch(pin(), out, transfer)
    assert waits == [7.0]


def test_busy_index_is_asked_again(index, out, transfer, waits):
    index.faults = [Fault("/simple/toy", times=2, status=503)]
    fetch(pin(), out, transfer)
    assert len(waits) == 2


def test_server_that_stays_busy(index, out, transfer, tries):
    index.faults = [Fault("toy-1.0.tar.gz", times=99, status=429)]
    line = refused(pin(), out, transfer)
    assert "429" in line and f"{tries} tries" in line


def test_wrong_hash(index, out, transfer):
    index.listed_digests["toy-1.0.tar.gz"] = sha256(b"pinned")
    line = refused(pin(sha256=sha256(b"pinned")), out, transfer)
    assert "wrong sha256" in line and sha256(BODY) in line and sha256(b"pinned") in line
    assert left(out) == []


def test_index_that_lists_another_hash(index, out, transfer):
    line = refused(pin(sha256=sha256(b"pinned")), out, transfer)
    assert "the index lists sha256" in line
    assert index.file_requests("toy-1.0.tar.gz") == []


def test_right_again_after_the_cause_is_gone(index, out, transfer):
    index.faults = [Fault("toy-1.0.tar.gz", times=2, body=BODY[::-1])]
    assert "wrong sha256" in refused(pin(), out, transfer)
    index.faults = []
    fetch(pin(), out, transfer)
    assert (out.parent / "files/toy-1.0.tar.gz").read_bytes() == BODY


@pytest.mark.parametrize("body", [BODY[:1000], BODY + b"more"])
def test_wrong_size(index, out, transfer, body):
    index.faults = [Fault("toy-1.0.tar.gz", times=9, body=body)]
    line = refused(pin(), out, transfer)
    assert "wrong size" in line and f"{len(BODY):,}" in line


def test_size_that_was_never_pinned(index, out, transfer):
    spec = pin()
    del spec["size"]
    assert fetch(spec, out, transfer)["files"][0]["size"] == len(BODY)


@pytest.mark.parametrize("status", [401, 403])
def test_no_access(index, out, transfer, waits, status):
    index.faults = [Fault("toy-1.0.tar.gz", status=status)]
    line = refused(pin(), out, transfer)
    assert f"HTTP {status}" in line and "credentials" in line and waits == []


def test_gone_from_the_host(index, out, transfer, waits):
    index.faults = [Fault("toy-1.0.tar.gz", status=404)]
    assert "not found" in refused(pin(), out, transfer) and waits == []


def test_unknown_file_names_the_nearest(index, out, transfer):
    spec = pin()
    spec["from"] = spec["from"] | {"file": "toy-1.0.tar.bz2"}
    assert "did you mean 'toy-1.0.tar.gz'" in refused(spec, out, transfer)


def test_unknown_package(index, out, transfer):
    spec = pin()
    spec["from"] = spec["from"] | {"package": "other"}
    assert "no package 'other'" in refused(spec, out, transfer)


def test_no_network(hub, out, transfer, monkeypatch, waits):
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple/")
    line = refused(pin(), out, transfer)
    assert "the connection was refused" in line and "network" in line
    assert "secret" not in line and "user" not in line
    assert len(waits) == 2


def test_no_name(hub, out, transfer, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://no-such-host.invalid/simple/")
    line = refused(pin(), out, transfer)
    assert "cannot be resolved" in line or "proxy" in line


def test_offline(index, out, transfer, monkeypatch):
    monkeypatch.setenv("LEMUR_OFFLINE", "1")
    assert "LEMUR_OFFLINE" in refused(pin(), out, transfer)
    assert index.requests == []


def test_two_processes_do_not_write_one_part(index, out, transfer):
    out.parent.mkdir(parents=True)
    with open(out.parent / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another process" in refused(pin(), out, transfer)
    fetch(pin(), out, transfer)


def test_too_little_space_is_seen_before_a_byte_comes(index, out, transfer, monkeypatch):
    usage = types.SimpleNamespace(total=10**6, used=10**6 - 1000, free=1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    line = refused(pin(), out, transfer)
    assert "is full" in line and "300,000" in line and "1,000" in line
    assert left(out) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="root: mounting a small disk needs root")
def test_disk_that_fills_up(index, tmp_path, monkeypatch):
    """A real full disk: one line, the partial file kept, and the same command continues."""
    disk = tmp_path / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(disk).encode(), b"tmpfs", 0, b"size=200k"):
        pytest.skip(f"root: mount refused ({errno.errorcode[ctypes.get_errno()]})")
    try:
        spec = pin()
        del spec["size"]  # as for a file whose size nobody knows: the check before cannot help
        command = [sys.executable, str(ROOT / "scripts/1_corpus/download.py")]
        command += ["--spec", json.dumps(spec), "--out", str(disk / "part-0-of-1/manifest.json")]
        monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow"))
        index.faults = [Fault("toy-1.0.tar.gz", headers={"X-Nothing": "1"})]
        failed = subprocess.run(command, capture_output=True, text=True)
        assert failed.returncode == 2
        last = failed.stderr.strip().splitlines()[-1]
        assert "full" in last and "the same command continues" in last
        assert "Traceback" not in failed.stderr
        names = {path.name for path in (disk / "part-0-of-1").rglob("*")}
        assert "manifest.json" not in names and "toy-1.0.tar.gz" not in names
        assert not libc.mount(b"none", str(disk).encode(), b"tmpfs", 32, b"size=2m")  # MS_REMOUNT
        again = subprocess.run(command, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
        assert (disk / "part-0-of-1/files/toy-1.0.tar.gz").read_bytes() == BODY
    finally:
        libc.umount(str(disk).encode())


# Repository files --------------------------------------------------------------------------


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


# Hub repositories --------------------------------------------------------------------------


def of_hub(**changes):
    source = {"hub": "team/set", "repo_type": "dataset", "revision": COMMIT, "files": ["data/*"]}
    return {"name": "toy", "from": source | changes, "licence": "MIT"}


@pytest.fixture
def dataset(hub):
    shards = {f"data/{n:02d}.parquet": bytes([n]) * (500 + 400 * n) for n in range(5)}
    hub.datasets["team/set"] = {"README.md": b"# set\n"} | shards
    return hub


def test_hub_shards_by_part(dataset, tmp_path, transfer):
    seen = []
    for part in range(2):
        out = tmp_path / f"part-{part}-of-2/manifest.json"
        seen.append([file["path"] for file in fetch(of_hub(), out, transfer, part, 2)["files"]])
        for path in seen[-1]:
            name = path.removeprefix("files/")
            assert (out.parent / path).read_bytes() == dataset.datasets["team/set"][name]
    assert seen == [
        ["files/data/00.parquet", "files/data/02.parquet", "files/data/04.parquet"],
        ["files/data/01.parquet", "files/data/03.parquet"],
    ]


def test_hub_model_files(hub, out, transfer):
    hub.models["team/model"] = {"config.json": b"{}", "model.safetensors": b"w" * 5000}
    spec = of_hub(hub="team/model", repo_type="model", files=["config.json", "*.safetensors"])
    assert len(fetch(spec, out, transfer)["files"]) == 2


def test_hub_cut_connection_resumes_at_the_cdn(dataset, out, transfer):
    dataset.datasets["team/set"]["data/large.parquet"] = BODY
    dataset.faults = [Fault("/large.parquet", cut=140_000)]
    fetch(of_hub(), out, transfer)
    asked = [r for r in dataset.file_requests("large.parquet") if r.port == dataset.cdn_port]
    assert [r.headers.get("Range") for r in asked] == [None, "bytes=131072-"]


def test_small_hub_file_is_checked_by_its_git_id(dataset, out, transfer):
    dataset.faults = [Fault("/00.parquet", times=9, body=b"\x01" * 500)]
    assert "git blob" in refused(of_hub(), out, transfer)


def test_gated_without_a_token(dataset, out, transfer, waits):
    dataset.gated["team/set"] = "hf_right"
    line = refused(of_hub(), out, transfer)
    assert "gated" in line and "HF_TOKEN" in line and waits == []


def test_gated_with_a_wrong_token(dataset, out, transfer, monkeypatch):
    dataset.gated["team/set"] = "hf_right"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    line = refused(of_hub(), out, transfer)
    assert "HF_TOKEN" in line and "hf_wrong" not in line


def test_token_goes_to_the_hub_and_nowhere_else(dataset, out, transfer, monkeypatch, capfd):
    dataset.gated["team/set"] = "hf_right"
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    fetch(of_hub(), out, transfer)
    at_cdn = [r for r in dataset.requests if r.port == dataset.cdn_port]
    assert at_cdn and all("Authorization" not in request.headers for request in at_cdn)
    assert "hf_right" not in "".join(capfd.readouterr()) + out.read_text()


def test_token_taken_back_between_listing_and_file(dataset, out, transfer, monkeypatch):
    dataset.faults = [Fault("/00.parquet", status=403)]
    assert "gated or private" in refused(of_hub(), out, transfer)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"revision": "main"}, "40 hex digits"),
        ({"revision": "unresolved"}, "lemur.corpus.hub team/set dataset"),
        ({"revision": "f" * 40}, "no commit"),
        ({"hub": "team/none"}, "no dataset 'team/none'"),
        ({"files": ["dta/*"]}, "'dta/*' matches none of the 6 files"),
    ],
)
def test_hub_mistakes(dataset, out, transfer, changes, expected):
    assert expected in refused(of_hub(**changes), out, transfer)


def test_newest_commit_is_told(dataset, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["hub", "team/set"])
    hub_module.main()
    assert capsys.readouterr().out.strip() == COMMIT
    monkeypatch.setattr("sys.argv", ["hub", "team/none", "model"])
    with pytest.raises(SystemExit):
        hub_module.main()
    assert "no model 'team/none'" in capsys.readouterr().err


def test_busy_hub_is_asked_again(dataset, out, transfer):
    dataset.faults = [Fault(f"tree/{COMMIT}", times=2, status=503)]
    fetch(of_hub(), out, transfer)


def test_hub_without_network(dataset, out, transfer, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "is there a network" in refused(of_hub(), out, transfer)


# What the catalogue may get wrong -------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"from": {"ftp": "x"}}, "one of index, url, hub"),
        ({"from": {"index": "pypi", "package": "toy"}}, "from.version is missing"),
        ({"sha256": None}, "sha256 is missing"),
        ({"status": "unavailable", "reason": "lost"}, "is unavailable: lost"),
    ],
)
def test_bad_entries(index, out, transfer, changes, expected):
    with pytest.raises(UserError, match=expected):
        fetch(pin(**changes), out, transfer)


def test_bytes_of_the_manifest_do_not_depend_on_the_way(index, tmp_path, transfer):
    direct, cut = (tmp_path / name / "manifest.json" for name in ("a", "b"))
    fetch(pin(), direct, transfer)
    index.faults = [Fault("toy-1.0.tar.gz", times=2, cut=1000)]
    fetch(pin(), cut, transfer)
    assert direct.read_bytes() == cut.read_bytes()


def test_source_distribution_is_not_run(hub, out, transfer, tmp_path):
    """``pip download`` would run this setup.py."""
    proof = tmp_path / "ran"
    archive = tar_gz({"toy-1.0/setup.py": f"open({str(proof)!r}, 'w')".encode()})
    hub.packages["toy"] = {"toy-1.0.tar.gz": archive}
    fetch(pin(archive), out, transfer)
    assert not proof.exists()
