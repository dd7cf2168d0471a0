"""Fetching through a real HTTP server on loopback that fails in the ways that networks do."""

import ctypes
import errno
import fcntl
import json
import os
import subprocess
import sys
import time
import types

import pytest
from hubserver import Fault
from hubserver.made import sha256, tar_gz
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.download import source_part
from lemur.download.rate_limit import Pace, asked
from lemur.download.session import Session
from lemur.download.transfer import Transfer
from made_downloads import BODY, fetch, left, pin, refused


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


def test_no_faster_than_the_user_allows(index, out):
    """A file takes its size over the rate; a line that was quiet does not allow a burst."""
    told, now = [], [0.0]

    def sleep(seconds):
        told.append(seconds)
        now[0] += seconds

    slow = Transfer(Session(), pace=Pace(len(BODY) / 4, sleep, lambda: now[0]))
    fetch(pin(), out, slow)
    assert sum(told) == pytest.approx(4)
    slow.pace.came(0)
    now[0] += 100
    slow.pace.came(len(BODY))
    assert told[-1] == pytest.approx(4)


@pytest.mark.parametrize("text", ["0", "-1", "fast", "nan", "inf"])
def test_a_rate_that_is_none(monkeypatch, text):
    monkeypatch.setenv("LEMUR_DOWNLOAD_MBPS", text)
    with pytest.raises(UserError, match=f"LEMUR_DOWNLOAD_MBPS={text}: a number of MB"):
        asked()


def test_the_rate_is_read_by_every_download(index, out, monkeypatch):
    monkeypatch.setenv("LEMUR_DOWNLOAD_MBPS", "no")
    with pytest.raises(UserError, match="LEMUR_DOWNLOAD_MBPS"):
        source_part.run(pin(), 0, 1, out)
    monkeypatch.setenv("LEMUR_DOWNLOAD_MBPS", "1.5")
    assert asked() == 1_500_000


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
