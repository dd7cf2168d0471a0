"""The repairs of DeepMind's generator, and what stands around it. The generator itself runs in an
environment of its own (tests/e2e/test_mathematics.py)."""

import pytest
from lemur.core.contracts import read
from lemur.core.errors import UserError
from lemur.core.files import read_json, sha256_of
from lemur.corpus import mathematics

SPEC = {
    "name": "toy",
    "from": {"generator": "mathematics-dataset", "seed": 0, "questions": 2, "a_document": 2},
    "licence": "Apache-2.0",
}


def asked(**changes):
    return read(mathematics.MathematicsSpec, SPEC | changes, "--spec")


def test_repairs_are_for_the_text_they_were_made_for():
    name = "mathematics_dataset.util.composition"
    text = "".join(old for old, *_ in mathematics.REPAIRS[name])
    assert "set(context" not in mathematics.repaired(name, text)
    with pytest.raises(UserError, match="0 times, not 1: the repairs are for version 1.0.1"):
        mathematics.repaired(name, "other text")


def test_another_file_is_refused_and_not_left(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    rows = [{"module": "train-easy/a", "text": "1 + 1?\n2"}]
    monkeypatch.setattr(mathematics, "documents", lambda *_: iter(rows))
    monkeypatch.setattr(
        mathematics,
        "_generator",
        lambda: type("G", (), {"filtered_modules": {x: {} for x in mathematics.LEVELS}}),
    )
    out = tmp_path / "part" / "manifest.json"
    with pytest.raises(
        UserError, match="sha256 [0-9a-f]{64} where None is pinned: refused"
    ) as told:
        mathematics.run(asked(), out)
    assert not out.exists() and not list((out.parent / "files").iterdir())
    found = str(told.value).split("sha256 ")[1][:64]
    mathematics.run(asked(sha256=found), out)
    file = out.parent / "files" / mathematics.FILE
    assert read_json(out)["files"] == [
        {"path": "files/mathematics.jsonl", "sha256": found, "size": file.stat().st_size}
    ]
    assert sha256_of(file) == found
    # What is there and right is not generated again.
    monkeypatch.setattr(mathematics, "documents", None)
    mathematics.run(asked(sha256=found), out)


def test_hash_order_must_be_fixed(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    with pytest.raises(UserError, match="PYTHONHASHSEED"):
        mathematics.run(asked(), tmp_path / "manifest.json")
