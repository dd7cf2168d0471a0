"""local.lock.json: changes are told, a node takes its word, a part's hash is that of its files."""

import json

import pytest
from lemur.config import stages
from lemur.core.errors import UserError
from lemur.dag import local_lock


@pytest.fixture
def recipe(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.txt").write_text(name * 100)
    entry = {
        "name": "notes",
        "kind": "text",
        "from": {"path": str(folder)},
        "licence": "own",
        "parts": 2,
    }
    elsewhere = {"name": "web", "kind": "text", "from": {"url": "http://x/y", "path": "y"}}
    return {
        "corpus": {"sources": [entry, elsewhere]}, "sft": {"sources": [{"name": "docstrings"}]},
        "base": {"name": "b", "from": {"random": {}}},
        "evaluate": {"models": ["start"], "benchmarks": [{"name": "bits", "data": {"heldout": "code"}}]},
    }  # fmt: skip


def parts(recipe, lock):
    entry = local_lock.with_local(recipe, lock)["corpus"]["sources"][0]
    return [stages.download("notes", entry, part) for part in range(2)]


def test_first_use_then_silence_then_what_changed(recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "local.lock.json"
    lock = local_lock.look(recipe, file)
    assert "sources/notes: " in (said := capsys.readouterr().err) and "first use: 4 files" in said
    assert not file.exists()  # a dry run writes none
    local_lock.write_lock(file, lock)
    assert list(lock) == ["sources/notes"] and lock["sources/notes"]["format"] == "files"
    before = parts(recipe, lock)
    assert before[0]["format"] == "files" and before[0]["listing"] != before[1]["listing"]
    assert local_lock.look(recipe, file) == lock and capsys.readouterr().err == ""
    (tmp_path / "notes" / "b.txt").write_text("other")
    changed = local_lock.look(recipe, file)
    line = capsys.readouterr().err
    assert "1 changed (b.txt) since local.lock.json, read again" in line and line.count("\n") == 1
    now = parts(recipe, changed)
    assert now[0] == before[0] and now[1] != before[1]  # b and d are the second part's
    (tmp_path / "notes" / "c.txt").rename(tmp_path / "notes" / "e.txt")
    local_lock.look(recipe, file)
    assert "1 changed (b.txt), 1 new (e.txt), 1 gone (c.txt) since" in capsys.readouterr().err
    assert local_lock.look(recipe, file, is_main=False) == lock  # a job on a node


def test_what_scores_alone_reads_no_corpus(recipe, tmp_path):
    alone = {**recipe, "evaluate": {**recipe["evaluate"], "models": []}}
    assert local_lock.look(alone, tmp_path / "none.json") == {}


@pytest.mark.parametrize("text", ["[]", '{"sources/notes": 3}', '{"a": {"files": [{}]}}', "{"])
def test_a_damaged_lock_is_one_line(recipe, tmp_path, text):
    file = tmp_path / "local.lock.json"
    file.write_text(text)
    with pytest.raises(UserError, match=r"local.lock.json: not "):
        local_lock.look(recipe, file)
    file.write_text(json.dumps({}))
