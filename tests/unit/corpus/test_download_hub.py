"""lemur.download.huggingface: shards and model files from a server that speaks the hub's protocol."""

import hashlib
import tracemalloc

import pytest
from hubserver import COMMIT, Fault
from lemur.download import hub_lock, huggingface
from made_downloads import BODY, fetch, refused


def hub_spec(**changes):
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
        seen.append([file["path"] for file in fetch(hub_spec(), out, transfer, part, 2)["files"]])
        for path in seen[-1]:
            name = path.removeprefix("files/")
            assert (out.parent / path).read_bytes() == dataset.datasets["team/set"][name]
    assert seen == [
        ["files/data/00.parquet", "files/data/02.parquet", "files/data/04.parquet"],
        ["files/data/01.parquet", "files/data/03.parquet"],
    ]


@pytest.mark.long
def test_of_ten_thousand_shards_a_job_fetches_its_own(hub, tmp_path, transfer):
    """What was listed once is not asked for again: neither by a job nor by one that resumes."""
    hub.datasets["team/set"] = {f"data/{n:05d}": n.to_bytes(32, "big") for n in range(10_000)}
    source = hub_spec()["from"]
    entry = {**source, "globs": source["files"], "files": huggingface.listed(source, COMMIT, "toy")}
    hub_lock.write(hub_lock.PATH, {"sources/toy": entry})
    hub.requests.clear()
    out = tmp_path / "part-4321-of-10000" / "manifest.json"
    tracemalloc.start()
    (file,) = fetch(hub_spec(), out, transfer, 4321, 10_000)["files"]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert file["path"] == "files/data/04321" and most < 32e6
    assert [request.path.rpartition("/")[2] for request in hub.requests] == ["04321"]
    out.unlink()  # as a job that was killed before it was through
    assert fetch(hub_spec(), out, transfer, 4321, 10_000)["files"] == [file]
    assert len(hub.requests) == 1


def test_hub_model_files(hub, out, transfer):
    hub.models["team/model"] = {"config.json": b"{}", "model.safetensors": b"w" * 5000}
    spec = hub_spec(hub="team/model", repo_type="model", files=["config.json", "*.safetensors"])
    assert len(fetch(spec, out, transfer)["files"]) == 2


def test_a_model_without_a_commit_is_fetched_at_the_newest(hub, out, transfer, capsys):
    hub.models["team/model"] = {"config.json": b"{}", "model.safetensors": b"w" * 5000}
    spec = hub_spec(hub="team/model", repo_type="model", revision="newest", files=["*"])
    assert len(fetch(spec, out, transfer)["files"]) == 2
    assert f"add @{COMMIT} to pin it" in capsys.readouterr().err


def test_hub_cut_connection_resumes_at_the_cdn(dataset, out, transfer):
    dataset.datasets["team/set"]["data/large.parquet"] = BODY
    dataset.faults = [Fault("/large.parquet", cut=140_000)]
    fetch(hub_spec(), out, transfer)
    asked = [r for r in dataset.file_requests("large.parquet") if r.port == dataset.cdn_port]
    assert [r.headers.get("Range") for r in asked] == [None, "bytes=131072-"]


def test_small_hub_file_is_checked_by_its_git_id(dataset, out, transfer):
    dataset.faults = [Fault("/00.parquet", times=9, body=b"\x01" * 500)]
    assert "git blob" in refused(hub_spec(), out, transfer)


def test_known_hashes_are_held_against_the_hub(dataset, out, transfer):
    """One that the hub has by sha256 is refused before it is fetched, a small one after."""
    content = dataset.datasets["team/set"]
    names = ("data/00.parquet", "data/04.parquet")
    right = {name: hashlib.sha256(content[name]).hexdigest() for name in names}
    assert len(fetch(hub_spec(sha256=right), out, transfer)["files"]) == 5
    dataset.requests.clear()
    other = out.parent.parent / "other" / "manifest.json"
    line = refused(hub_spec(sha256={"data/04.parquet": "0" * 64}), other, transfer)
    assert f"the hub has sha256 {right['data/04.parquet']} where {'0' * 64} is pinned" in line
    assert not dataset.file_requests("04.parquet")
    line = refused(hub_spec(sha256={"data/00.parquet": "0" * 64}), other, transfer)
    assert "data/00.parquet: wrong sha256" in line
    line = refused(hub_spec(sha256={"README.md": "0" * 64}), other, transfer)
    assert "from.sha256 names 'README.md', which is not taken" in line


def test_gated_without_a_token(dataset, out, transfer, waits):
    dataset.gated["team/set"] = "hf_right"
    line = refused(hub_spec(), out, transfer)
    assert "gated" in line and "HF_TOKEN" in line and waits == []


def test_gated_with_a_wrong_token(dataset, out, transfer, monkeypatch):
    dataset.gated["team/set"] = "hf_right"
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    line = refused(hub_spec(), out, transfer)
    assert "HF_TOKEN" in line and "hf_wrong" not in line


def test_token_goes_to_the_hub_and_nowhere_else(dataset, out, transfer, monkeypatch, capfd):
    dataset.gated["team/set"] = "hf_right"
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    fetch(hub_spec(), out, transfer)
    at_cdn = [r for r in dataset.requests if r.port == dataset.cdn_port]
    assert at_cdn and all("Authorization" not in request.headers for request in at_cdn)
    assert "hf_right" not in "".join(capfd.readouterr()) + out.read_text()


def test_token_taken_back_between_listing_and_file(dataset, out, transfer, monkeypatch):
    dataset.faults = [Fault("/00.parquet", status=403)]
    assert "gated or private" in refused(hub_spec(), out, transfer)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"revision": "main"}, "40 hex digits"),
        ({"revision": "unresolved"}, "scripts/1_corpus/resolve.py --write"),
        ({"revision": "f" * 40}, "no branch or commit"),
        ({"hub": "team/none"}, "no dataset 'team/none'"),
        ({"files": ["dta/*"]}, "'dta/*' matches none of the 6 files"),
    ],
)
def test_hub_mistakes(dataset, out, transfer, changes, expected):
    assert expected in refused(hub_spec(**changes), out, transfer)


def test_busy_hub_is_asked_again(dataset, out, transfer):
    dataset.faults = [Fault(f"tree/{COMMIT}", times=2, status=503)]
    fetch(hub_spec(), out, transfer)


def test_hub_without_network(dataset, out, transfer, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "is there a network" in refused(hub_spec(), out, transfer)
