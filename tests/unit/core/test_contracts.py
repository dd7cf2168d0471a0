"""What stages hand to each other: read from JSON with one clear line for what is wrong, and written back."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
from lemur.core import contracts
from lemur.core.errors import UserError


@dataclass(frozen=True)
class Inner:
    tokens: int
    share: float = 1.0


@dataclass(frozen=True)
class Outer:
    name: str
    parts: tuple[Inner, ...]
    by_source: Mapping[str, Inner]
    limit: int | None = None
    kind: Literal["code", "text"] = "code"
    pair: tuple[int, str] = (0, "")
    loose: int | str = 0


WHOLE = {
    "name": "x",
    "parts": [{"tokens": 3}, {"tokens": 4, "share": 1}],
    "by_source": {"a": {"tokens": 1, "share": 0.5}},
    "pair": [1, "b"],
    "loose": "many",
}


def test_what_is_read_is_written_back():
    found = contracts.read(Outer, WHOLE, "plan.json")
    assert found.parts == (Inner(3), Inner(4, 1.0)) and found.by_source["a"].share == 0.5
    assert found.limit is None and found.pair == (1, "b") and found.loose == "many"
    assert contracts.read(Outer, contracts.plain(found), "again") == found


@dataclass(frozen=True)
class Pinned:
    name: str
    origin: Inner | None = contracts.optional("from")


def test_a_key_that_is_no_name_in_python_and_one_that_says_nothing():
    pinned = contracts.read(Pinned, {"name": "a", "from": {"tokens": 1}}, "x")
    assert pinned.origin == Inner(1)
    assert contracts.plain(pinned) == {"name": "a", "from": {"tokens": 1, "share": 1.0}}
    assert contracts.plain(Pinned("a")) == {"name": "a"}
    with pytest.raises(UserError, match="x: unknown key 'origin'"):
        contracts.read(Pinned, {"name": "a", "origin": None}, "x")


def test_of_a_larger_mapping_a_part_is_read():
    """Other keys may stand in it at any depth, but what is read is held to its types."""
    larger = {"name": "a", "from": {"tokens": 1, "url": "u"}, "kind": "b"}
    assert contracts.part(Pinned, larger, "x") == Pinned("a", Inner(1))
    with pytest.raises(UserError, match="x: from: tokens: 'b' is not a whole number"):
        contracts.part(Pinned, {"name": "a", "from": {"tokens": "b"}}, "x")


def test_a_file(tmp_path):
    path = tmp_path / "plan.json"
    contracts.write_file(path, contracts.read(Outer, WHOLE, "plan"))
    assert contracts.read_file(Outer, path) == contracts.read(Outer, WHOLE, "plan")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"nam": "y"}, "plan.json: unknown key 'nam'"),
        ({"name": 3}, "plan.json: name: 3 is not text"),
        ({"parts": 3}, "plan.json: parts: 3 is not a list"),
        ({"parts": [{"tokens": "3"}]}, "plan.json: parts[0]: tokens: '3' is not a whole number"),
        ({"parts": [{"tokens": True}]}, "plan.json: parts[0]: tokens: True is not a whole number"),
        ({"parts": [{}]}, "plan.json: parts[0]: tokens is missing"),
        ({"by_source": {"a": 1}}, "plan.json: by_source.a: 1 is not a mapping"),
        ({"limit": 1.5}, "plan.json: limit: 1.5 is not a whole number"),
        ({"kind": "cod"}, "plan.json: kind: 'cod'"),
        ({"pair": [1]}, "plan.json: pair: [1] is not a list"),
        ({"loose": 1.5}, "plan.json: loose: 1.5 is not a whole number or text"),
    ],
)
def test_what_is_wrong_is_one_line(change, line):
    with pytest.raises(UserError) as error:
        contracts.read(Outer, WHOLE | change, "plan.json")
    assert str(error.value).startswith(line) and "\n" not in str(error.value)


class Rank(enum.StrEnum):
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True)
class Measured:
    name: str
    rank: Rank = Rank.LAST
    value: float | None = contracts.optional()
    more: Mapping[str, int | str] = contracts.others()
    path: Path = contracts.unwritten(Path())


def test_what_a_class_has_no_field_for_is_kept_under_its_own_keys():
    given = {"name": "x", "rank": "first", "more": 1, "digits": "two"}
    found = contracts.read(Measured, given, "x.json")
    assert (found.rank, found.value, found.more) == (Rank.FIRST, None, {"more": 1, "digits": "two"})
    assert contracts.plain(replace(found, path=Path("elsewhere"))) == given


def test_lines_are_read_as_they_were_written_and_a_damaged_one_is_named(tmp_path):
    path, values = tmp_path / "x.jsonl", [Measured("\ud800"), Measured("b", value=0.5)]
    contracts.write_lines(path, values)
    assert path.read_bytes().isascii() and list(contracts.read_lines(Measured, path)) == values
    for damaged, words in (
        ('{"name": 1}', "name: 1 is not text"),
        ('{"name": "x", "rank": "frist"}', "rank: 'frist'; did you mean 'first'"),
        ("[" * 99_999, "nested too deeply"),
        ("{", "Expecting"),
    ):
        path.write_text(contracts.line(values[1]) + damaged + "\n")
        with pytest.raises(UserError, match=f"x.jsonl: line 2: {words}"):
            list(contracts.read_lines(Measured, path))
