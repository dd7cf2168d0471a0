"""Examples that a datasheet shows: the same every time, redacted, and no secret's document."""

import random

from lemur.core.contracts import plain
from lemur.corpus.examples import CHARACTERS, COUNT, Examples


def drawn(paths, text="def f(): pass\n"):
    examples = Examples()
    for path in paths:
        examples.kept(path, "python", text)
        examples.dropped(path, "python", text, "words")
    return plain(examples.chosen())


def test_the_same_ten_whatever_the_order():
    paths = [f"src/{k}.py" for k in range(200)]
    first = drawn(paths)
    random.Random(1).shuffle(paths)
    assert drawn(paths) == first
    assert [len(first[name]) for name in ("kept", "dropped")] == [COUNT, COUNT]
    assert [one["path"] for one in first["kept"]] == [one["path"] for one in first["dropped"]]
    assert first["dropped"][0]["reason"] == "words" and "reason" not in first["kept"][0]


def test_redacted_and_cut():
    (one,) = drawn(["a.py"], "by ann@firm.com " + "x " * 500)["kept"]
    assert one["text"].startswith("by <EMAIL> x") and len(one["text"]) == CHARACTERS


def test_never_from_a_document_with_a_secret():
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    key = "".join(random.Random(3).choices(letters, k=36))
    # Cut off by what is shown, or far below it, and still seen.
    for start in (0, CHARACTERS - 10, CHARACTERS + 50, 1_000_000):
        assert drawn(["a.py"], "#" * start + f"\nx = ghp_{key}\n")["kept"] == []
