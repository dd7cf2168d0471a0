"""Revisions, files and hashes looked up on the local server and written into a copy of config/."""

import json
import shutil

import pytest
from hubserver import COMMIT, Fault
from lemur.config import load
from lemur.core.errors import UserError
from lemur.download import hub_lock, resolve
from made_downloads import fetch

NEW = "f" * 40
TOKEN = "hf_secret_of_the_test"
SOURCES = """# Kept: a comment with revision: unresolved in it.
sources:
  set: &set # and this one
    kind: text
    from: {hub: team/set, repo_type: dataset, revision: unresolved, files: ["data/*"]} # here too
    licence: MIT
    citation: "Somebody, a set"
    status: exact
    format: parquet
  terms:
    <<: *set
    from: {hub: team/terms, repo_type: dataset, minimum: true, revision: COMMIT, files: ["*"]}
  shut:
    <<: *set
    from:
      hub: team/shut
      repo_type: dataset
      branch: refs/convert/parquet
      revision: "unresolved" # quoted
      files: ["*"]
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    folder = tmp_path / "config"
    shutil.copytree(load.CONFIG, folder)
    (folder / "sources.yaml").write_text(SOURCES.replace("COMMIT", COMMIT))
    (folder / "corpora" / "toy.yaml").write_text(
        (folder / "corpora" / "smoke.yaml").read_text().replace("dbt-adapters", "set")
    )
    monkeypatch.setattr(load, "CONFIG", folder)
    return folder


@pytest.fixture
def hub_of_three(hub):
    hub.datasets["team/set"] = {
        "data/a.parquet": b"a" * 2000,
        "data/b.txt": b"b",
        "README.md": b"#",
    }
    hub.datasets["team/terms"] = {"t.parquet": b"t"}
    hub.datasets["team/shut"] = {"s.parquet": b"s"}
    hub.heads = {"team/terms": NEW, "team/shut@refs/convert/parquet": NEW}
    return hub


def listed(*names):
    return resolve.chosen(None, None, names)


def test_writes_revision_and_files_and_keeps_every_other_character(config, hub_of_three, capsys):
    resolve.run(listed("set", "shut"), write=True, update=False)
    text = (config / "sources.yaml").read_text()
    expected = SOURCES.replace("COMMIT", COMMIT)
    expected = expected.replace("set, repo_type: dataset, revision: unresolved", f"set, repo_type: dataset, revision: {COMMIT}")  # fmt: skip
    assert text == expected.replace('"unresolved" # quoted', f"{NEW} # quoted")
    lock = json.loads(hub_lock.PATH.read_text())
    assert list(lock) == ["sources/set", "sources/shut"]
    files = lock["sources/set"]["files"]
    assert [(file["path"], file["size"]) for file in files] == [("data/a.parquet", 2000), ("data/b.txt", 1)]  # fmt: skip
    assert len(files[0]["sha256"]) == 64 and len(files[1]["git_sha1"]) == 40
    assert f"team/set {COMMIT} (was unresolved), 2 files" in capsys.readouterr().out


def test_second_run_changes_nothing(config, hub_of_three):
    resolve.run(listed("set"), write=True, update=False)
    paths = [config / "sources.yaml", config / "models.yaml", hub_lock.PATH]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]
    resolve.run(listed("set"), write=True, update=False)
    assert before == [(path.read_bytes(), path.stat().st_mtime_ns) for path in paths]


def test_files_that_are_not_the_pinned_are_not_written_down(config, hub_of_three, capsys):
    pin = f'["data/*"], sha256: {{data/a.parquet: {"a" * 64}}}'
    path = config / "sources.yaml"
    path.write_text(path.read_text().replace('["data/*"]', pin))
    with pytest.raises(UserError, match="1 of 1 could not be looked up"):
        resolve.run(listed("set"), write=True, update=False)
    assert f"where {'a' * 64} is pinned: refused" in capsys.readouterr().err
    assert not hub_lock.PATH.exists()


def test_without_write_nothing_is_written(config, hub_of_three):
    resolve.run(listed("set"), write=False, update=False)
    assert (config / "sources.yaml").read_text() == SOURCES.replace("COMMIT", COMMIT)
    assert not hub_lock.PATH.exists()


def test_a_minimum_warns_is_recorded_and_is_moved_only_when_asked(config, hub_of_three, capsys):
    resolve.run(listed("terms"), write=True, update=False)
    told = capsys.readouterr().err
    assert "warning: sources/terms: a newer revision" in told and "terms ask for the newest" in told
    entry = json.loads(hub_lock.PATH.read_text())["sources/terms"]
    assert (entry["revision"], entry["newest"]) == (COMMIT, NEW)
    assert f"minimum: true, revision: {COMMIT}" in (config / "sources.yaml").read_text()
    resolve.run(listed("terms"), write=True, update=True)
    assert f"minimum: true, revision: {NEW}" in (config / "sources.yaml").read_text()


def test_gated_names_the_variable_and_never_the_token(config, hub_of_three, capsys, monkeypatch):
    hub_of_three.gated["team/shut"] = TOKEN
    with pytest.raises(UserError, match="1 of 2 could not be looked up") as told:
        resolve.run(listed("set", "shut"), write=True, update=False)
    seen = "".join(capsys.readouterr())
    assert "warning: sources/shut" in seen and "HF_TOKEN" in seen
    assert list(json.loads(hub_lock.PATH.read_text())) == ["sources/set"]
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    resolve.run(listed("shut"), write=True, update=False)
    written = hub_lock.PATH.read_text() + (config / "sources.yaml").read_text()
    assert TOKEN not in seen + str(told.value) + "".join(capsys.readouterr()) + written


def test_busy_hub_is_asked_again(config, hub_of_three, waits):
    hub_of_three.faults = [Fault(f"/tree/{COMMIT}", times=2, status=503)]
    resolve.run(listed("set"), write=True, update=False)
    assert hub_lock.PATH.exists()


def test_killed_between_its_two_writes_the_same_command_completes(
    config, hub_of_three, monkeypatch
):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(resolve, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            resolve.run(listed("set"), write=True, update=False)
    assert "unresolved, files" in (config / "sources.yaml").read_text()
    resolve.run(listed("set"), write=True, update=False)
    assert load.catalogue("sources")["set"]["from"]["revision"] == COMMIT


def test_chosen(config):
    assert {entry.key for entry in resolve.chosen("toy", None, ())} == {"sources/set"}
    every = {entry.kind for entry in resolve.chosen(None, None, ())}
    assert every >= {"sources", "models"}
    with pytest.raises(UserError, match="--only st: no hub source of that name"):
        listed("st")


def test_a_corpus_without_hub_sources_has_none_to_resolve():
    assert resolve.chosen("mini", None, ()) == []


def test_the_papers_recipe_names_its_corpus_its_base_and_its_instructions():
    keys = {entry.key for entry in resolve.chosen(None, "lemur-70b", ())}
    assert {"sources/stack-python", "sources/dm-mathematics", "models/llama-2-70b"} <= keys


def test_a_download_is_checked_against_what_was_written_down(config, hub_of_three, out, transfer):
    resolve.run(listed("set"), write=True, update=False)
    hub_of_three.requests.clear()
    source = load.catalogue("sources")["set"]["from"]
    manifest = fetch({"name": "set", "from": source, "licence": "MIT"}, out, transfer)
    assert [file["path"] for file in manifest["files"]] == ["files/data/a.parquet", "files/data/b.txt"]  # fmt: skip
    assert not [request for request in hub_of_three.requests if "/tree/" in request.path]
    hub_of_three.datasets["team/set"]["data/b.txt"] = b"c"
    (out.parent / "files/data/b.txt").unlink()
    with pytest.raises(UserError, match="wrong content"):
        fetch({"name": "set", "from": source, "licence": "MIT"}, out, transfer)


def test_a_download_of_a_minimum_warns_and_records(config, hub_of_three, out, transfer, capsys):
    source = load.catalogue("sources")["terms"]["from"]
    manifest = fetch({"name": "terms", "from": source, "licence": "MIT"}, out, transfer)
    assert manifest["newer_revision"] == NEW
    assert f"the hub has a newer revision, {NEW}" in capsys.readouterr().err


def test_a_damaged_lock_is_one_line(config, hub_of_three):
    hub_lock.PATH.write_text("[]")
    with pytest.raises(UserError, match="remove it and resolve again"):
        resolve.run(listed("set"), write=True, update=False)


def test_a_revision_behind_an_alias_is_written_once():
    text = "one: &same {from: {revision: unresolved}}\ntwo: *same\n"
    paths = {("one", "from"): "a" * 40, ("two", "from"): "a" * 40}
    assert resolve.with_revisions(text, paths) == text.replace("unresolved", "a" * 40)
