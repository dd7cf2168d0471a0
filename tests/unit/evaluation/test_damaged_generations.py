"""Generations and journals that were damaged: named by line, and nothing else is lost."""

import json

import pytest
from answered import lines
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.evaluation import generation, judging, response_journal
from lemur.evaluation.fingerprint import VERSION, Settings
from lemur.evaluation.response_journal import Head, Response
from lemur.evaluation.spec import Decoding


@pytest.mark.parametrize("damage", [b"\0" * 12, b"3", b'{"key": "b"}', b"\xff\xfe"])
def test_a_damaged_line_loses_itself_alone(tmp_path, damage):
    with response_journal.Journal(tmp_path / "generations.jsonl", {}) as journal:
        for key in "abc":
            journal.add(Response(key=key, response=key))
    one, _, three = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(one + damage + b"\n" + three + b'{"key": "d", "respon')
    with response_journal.Journal(tmp_path / "generations.jsonl", {}) as again:
        assert set(again.known) == {"a", "c"}
        again.add(Response(key="b", response="b"))
    with response_journal.Journal(tmp_path / "generations.jsonl", {}) as last:
        assert set(last.known) == {"a", "b", "c"}


def test_two_writers_are_refused(tmp_path):
    with (
        response_journal.Journal(tmp_path / "g.jsonl", {"a": 1}),
        pytest.raises(UserError, match="another process"),
        response_journal.Journal(tmp_path / "g.jsonl", {"a": 1}),
    ):
        pass


SETTINGS = Settings(
    "humaneval", "start", "completion", 0, Decoding(), "fp32", 1, None, "0", VERSION, "0"
)
HEAD = Head(1, SETTINGS)
PLACE = {"task": "t", "document": "d", "choice": 0, "repeat": 0}
ENTRY = {"key": "a", "response": "text", "tokens": 1, "finish": "end", **PLACE}
SECOND = {"key": "b", "response": "", **PLACE}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (1, b""),
        (1, b"[]"),
        (1, b'{"form": 0, "settings": {"model_sha256": "0"}}'),
        (1, b'{"form": 1, "settings": [1]}'),
        (1, b'{"form": 1, "settings": {}}'),
        (1, b'\xef\xbb\xbf{"form": 1}'),
        (2, b"\x00"),
        (2, b'{"key'),
        (2, b"5"),
        (2, b"[1]"),
        (2, b"null"),
        (2, b""),
        (2, b"[" * 200_000),
        (2, b'{"key": "\xff"}'),
        (2, b'{"key": "a"}'),
        (2, json.dumps(ENTRY | {"response": None}).encode()),
        (2, json.dumps(ENTRY | {"key": ["a"]}).encode()),
        (2, json.dumps(ENTRY | {"tokens": "many"}).encode()),
        (3, json.dumps(ENTRY).encode()),
    ],
)
def test_damaged_generations_are_one_line(tmp_path, line, words):
    path = tmp_path / "g.jsonl"
    lines = [contracts.line(HEAD), json.dumps(ENTRY), json.dumps(SECOND)]
    lines = [text.strip().encode() for text in lines]
    store_read = response_journal.read
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert set(store_read(path)[1]) == {"a", "b"}
    lines[line - 1] = words
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(UserError, match=f"g.jsonl: line {line}: .*generate again$") as caught:
        store_read(path)
    assert "\n" not in str(caught.value)


def test_what_stands_where_generations_should(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        response_journal.read(tmp_path / "none.jsonl")
    with pytest.raises(UserError, match="a folder, where the file of generations should be"):
        response_journal.read(tmp_path)


@pytest.mark.parametrize("response", [7, [1, True], [], {}, False])
def test_a_response_of_another_type_is_damage(spec, folder, humaneval, tmp_path, asked, response):
    """Judged it is refused; found in a journal it is asked again."""
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(limit=2), folder, humaneval, out)
    whole = out.read_bytes()
    head, first, second = lines(out)
    changed = [head, {**first, "response": response}, second]
    out.write_text("".join(json.dumps(line) + "\n" for line in changed))
    with pytest.raises(UserError, match="damaged"):
        judging.run(spec(limit=2), out, humaneval, tmp_path / "out" / "scores.json")
    (journal,) = (out.parent / "responses").glob("*.jsonl")
    kept = [json.loads(line) for line in journal.read_text().splitlines()]
    kept[0]["response"] = response
    journal.write_text("".join(json.dumps(line) + "\n" for line in kept))
    generation.run(spec(limit=2), folder, humaneval, out)
    assert asked == [2, 1] and out.read_bytes() == whole


def test_settings_that_lack_one_are_damage(spec, folder, humaneval, tmp_path):
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(spec(limit=1), folder, humaneval, out)
    head, *entries = lines(out)
    del head["settings"]["decoding"]
    out.write_text("".join(json.dumps(line) + "\n" for line in (head, *entries)))
    with pytest.raises(UserError, match="line 1: damaged .settings: decoding is missing"):
        judging.run(spec(limit=1), out, humaneval, tmp_path / "out" / "scores.json")
