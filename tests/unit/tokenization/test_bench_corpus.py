"""What make bench-corpus counts as this project's own cost of tokenization."""

from types import SimpleNamespace

import pytest
from bench import corpus
from bench.measured import Cost
from made_corpus import document, write_part


def test_starts_are_measured_in_every_turn(tmp_path, monkeypatch):
    """On a machine that halves its speed, both a start and the work take twice as long."""
    paths = [write_part(tmp_path, "s", [document("a b c")], part, 2) for part in range(2)]
    speed, measured = [0], []

    def whole(*_):
        return Cost(processor=2.0 * (3.0 + 1.0) * 2 ** speed[0])

    def start(where, *arguments):
        assert arguments[-2] == "--out"
        return Cost(processor=3.0 * 2 ** speed[0]), ""

    def in_turns(sides):
        for speed[0] in range(3):
            measured.append(sides["ours"]())
        return {name: measured for name in sides}

    monkeypatch.setattr(corpus, "run_all", whole)
    monkeypatch.setattr(corpus, "run", start)
    monkeypatch.setattr(corpus, "_turns", in_turns)
    ours = SimpleNamespace(
        documents=paths,
        out=tmp_path / "out",
        tokenize=lambda: [("data", ["tokenize.py", "--documents", path]) for path in paths],
        tokenizing=list,
    )
    page = corpus.tokenization(ours, tmp_path)
    assert measured == pytest.approx([2.0, 4.0, 8.0])  # two parts of one second, and slower
    assert any(line.startswith("Starting") and "costs 6.00 s a part" in line for line in page)
