"""Stop strings on tokens as they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lemur.inference.stopping import StopCheck, cut


def text_of(ids):
    """Tokens that are bytes: characters and stop strings are cut in two."""
    return bytes(ids).decode("utf-8", "replace")


texts = st.text(st.sampled_from("ab\n#d é€😀"), max_size=60)
stops = st.lists(st.text(st.sampled_from("ab\n#d é😀"), min_size=1, max_size=4), max_size=3)


@given(texts, stops)
def test_says_yes_with_the_token_that_completes_the_first_stop(text, wanted):
    check = StopCheck(wanted)
    ids = list(text.encode())
    said = next((n for n in range(1, len(ids) + 1) if check(ids[:n], text_of)), None)
    whole = (n for n in range(1, len(ids) + 1) if any(s in text_of(ids[:n]) for s in wanted))
    assert said == next(whole, None)


@given(texts, stops)
def test_cut_keeps_what_comes_before_every_stop(text, wanted):
    kept = cut(text, wanted)
    assert text.startswith(kept)
    assert not any(stop in kept for stop in wanted)
    assert kept == text or any(text[len(kept) :].startswith(stop) for stop in wanted)


@pytest.mark.parametrize("text", ["", "return 1"])
def test_no_stop_no_cut(text):
    assert cut(text, []) == text
    assert not StopCheck([])(list(text.encode()), text_of)
