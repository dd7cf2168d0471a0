"""Held-out documents: the same in every run, and as many bytes of them as a recipe asks for."""

from hypothesis import given
from hypothesis import strategies as st
from lemur.data.documents import shards
from lemur.mixture.heldout import HeldoutSpec, choose, level
from made_corpus import document, write_part

LINE = "x" * 99 + "\n"


def chosen(tmp_path, lengths, **spec):
    """What is chosen of held-out documents of so many lines of 100 bytes each."""
    rows = [
        document(f"{number:04}\n" + LINE * length, heldout=True)
        for number, length in enumerate(lengths)
    ]
    path = write_part(tmp_path, "books", rows)
    wanted = HeldoutSpec("text", 1, ("books",), **{"documents": 10, "max_bytes": 1_000, **spec})
    return choose(wanted, shards([path]))


def sizes(documents):
    return sorted(len(document["text"]) for document in documents)


def test_the_beginnings_end_with_a_line(tmp_path):
    assert sizes(chosen(tmp_path, [1, 5, 200])) == [105, 505, 905]


def test_few_and_long_documents_give_the_bytes_that_are_asked_for(tmp_path):
    assert sizes(chosen(tmp_path, [1, 5, 200, 300], least_bytes=20_000)) == [105, 505, 9_605, 9_605]
    # Enough as they are: no more than max_bytes of each.
    assert sizes(chosen(tmp_path / "b", [1, 5, 200], least_bytes=500)) == [105, 505, 905]


def test_what_is_not_there_cannot_be_asked_for(tmp_path):
    assert sizes(chosen(tmp_path, [1, 5, 20], least_bytes=10**6)) == [105, 505, 2_005]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(0, 300))
def test_the_level_is_the_least_that_gives_enough(lengths, least):
    found = level(lengths, least)
    assert sum(min(length, found) for length in lengths) >= min(least, sum(lengths))
    if found:
        assert sum(min(length, found - 1) for length in lengths) < least
