"""Shingles made by array steps are those that a loop over words makes."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.corpus.shingles import Shingler

WIDTH = 3
WORDS = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")
TEXTS = st.lists(
    st.text(st.sampled_from("ab_ .é\n"), max_size=24) | st.text(max_size=8), min_size=1, max_size=6
)


def plain(text):
    words = WORDS.findall(text.encode())
    if 0 < len(words) < WIDTH:
        return [tuple(words)]
    return [tuple(words[k : k + WIDTH]) for k in range(len(words) - WIDTH + 1)]


def hashed(texts, width=WIDTH):
    data = [text.encode() for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in data])]).astype(np.int64)
    hashes, rows = Shingler(width).of(np.frombuffer(b"".join(data), np.uint8), offsets)
    return [hashes[a:b].tolist() for a, b in zip(rows[:-1], rows[1:], strict=True)]


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_same_shingles_same_hashes(texts):
    names = {}
    for text, hashes in zip(texts, hashed(texts), strict=True):
        shingles = plain(text)
        assert len(hashes) == len(shingles)
        for shingle, value in zip(shingles, hashes, strict=True):
            assert names.setdefault(shingle, value) == value
    assert len(set(names.values())) == len(names)


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_neighbours_do_not_matter(texts):
    """A document's hashes are the same alone and among others: shards can be cut anywhere."""
    assert hashed(texts) == [hashed([text])[0] for text in texts]


def test_words_are_kept_apart():
    """Where a word ends matters, and so does its place."""
    one = hashed(["ab c d", "a bc d", "abc d", "d c ab", "ab  c\td", "AB c d"])
    assert one[0] == one[4]
    assert len({tuple(row) for row in one}) == 5
