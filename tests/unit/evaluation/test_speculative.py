"""Guessed tokens: what followed before, and how many are worth a pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from lemur.inference import speculative
from lemur.inference.speculative import MOST, Guesser, Heard, width

TOKENS = some.lists(some.integers(0, 3), max_size=60)


def test_what_followed_before_is_guessed_again():
    assert Guesser([1, 2, 3, 4, 5, 6, 1, 2, 3]).guess()[:3] == [4, 5, 6]
    assert Guesser([1, 2, 3, 4]).guess() == []
    assert Guesser([]).guess() == []


def test_the_longer_and_then_the_later_occurrence_counts():
    assert Guesser([7, 1, 2, 50, 8, 1, 2, 60, 7, 1, 2]).guess()[0] == 50
    assert Guesser([1, 2, 50, 9, 1, 2, 60, 5, 1, 2]).guess()[0] == 60
    assert Guesser([3, 50, 4, 60, 3]).guess()[0] == 50, "one token is enough"


def test_rows_hear_the_answers_of_others_and_not_their_prompts():
    heard = Heard()
    one, other = Guesser([1, 2, 3], heard), Guesser([9, 1], heard)
    assert other.guess() == []
    for token in (1, 2, 40, 41):
        one.add(token)
    assert other.guess() == [2, 40, 41], "no more than was said"
    other.add(2)
    assert other.guess() == [40, 41]
    one.add(42)
    assert other.guess() == [40, 41, 42]
    again = Guesser([1, 2, 77, 1, 2], heard)
    assert again.guess()[0] == 77, "what the row itself said comes first"
    assert Guesser([5, 1, 2], heard).guess() == [40, 41, 42]
    held = [answer for answer, _ in heard._after.values()]
    assert all(3 not in answer and 9 not in answer for answer in held), "a prompt is held"


def test_memory_of_answers_is_bounded(monkeypatch):
    monkeypatch.setattr(speculative, "_HEARD", 10)
    heard = Heard()
    one = Guesser([], heard)
    for token in range(1000):
        one.add(token)
        assert len(heard._after) <= 10


@given(some.lists(some.integers(0, 9), min_size=1, max_size=5, unique=True))
def test_what_repeats_is_guessed_to_go_on(period):
    guessed = Guesser(period * 4).guess()
    assert len(guessed) == MOST
    assert guessed == (period * 20)[: len(guessed)]


@given(TOKENS)
def test_guesses_come_out_of_the_row(ids):
    guessed = Guesser(ids).guess()
    assert len(guessed) in (0, MOST) and set(guessed) <= set(ids)
    if guessed:
        pairs = list(zip(ids, ids[1:], strict=False))
        assert (ids[-1], guessed[0]) in pairs


def test_shares_that_hold():
    one = Guesser([])
    for _ in range(20):
        one.record(4, 4)
    assert one.held > 0.95
    one.record(0, 0)
    assert one.held > 0.95
    for _ in range(20):
        one.record(4, 1)
    assert one.held == pytest.approx(0.5, abs=0.03), "one held and the next did not"


def test_a_pass_is_as_wide_as_it_pays():
    assert width([], 0.05) == 1
    assert width([(0, 0.9)], 0.05) == 1
    assert width([(MOST, 0.0)], 0.05) == 1
    assert width([(MOST, 1.0)], 0.05) == MOST + 1
    assert width([(MOST, 0.5)], 0.0) == MOST + 1  # where more tokens cost nothing
    # One row's guesses widen the pass of all rows.
    alone, among = width([(MOST, 0.8)], 0.05), width([(MOST, 0.8)] + [(0, 0.0)] * 7, 0.05)
    assert alone > among >= 1
