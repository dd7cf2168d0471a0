"""Shingles made by array steps are those that a loop over words makes."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.data import shingles
from lemur.data.shingles import ALONE, OPERATORS, Shingler

WIDTH = 3
SIGNS = f"[{re.escape(OPERATORS.decode())}]+"
WORDS = rf"[{ALONE}]|(?:(?![{ALONE}])(?:[0-9A-Za-z_]|[^\x00-\x7f]))+"
LETTERS = "ab_ .é\n+-=<(,你好ไทยកာཀ。Ａ😀𝐱가"
TEXTS = st.lists(
    st.text(st.sampled_from(LETTERS), max_size=24) | st.text(max_size=8), min_size=1, max_size=6
)


def plain(text, operators=True):
    tokens = re.findall(f"{WORDS}|{SIGNS}" if operators else WORDS, text)
    if 0 < len(tokens) < WIDTH:
        return [tuple(tokens)]
    return [tuple(tokens[k : k + WIDTH]) for k in range(len(tokens) - WIDTH + 1)]


def hashed(texts, width=WIDTH, operators=True):
    data = [text.encode() for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in data])]).astype(np.int64)
    joined = np.frombuffer(b"".join(data), np.uint8)
    kinds = shingles.WORDS_AND_OPERATORS if operators else shingles.WORDS
    hashes, rows = Shingler(width, kinds).hash_shingles(joined, offsets)
    return [hashes[a:b].tolist() for a, b in zip(rows[:-1], rows[1:], strict=True)]


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.booleans())
def test_same_shingles_same_hashes(texts, operators):
    names = {}
    for text, hashes in zip(texts, hashed(texts, operators=operators), strict=True):
        wanted = plain(text, operators)
        assert len(hashes) == len(wanted)
        for shingle, value in zip(wanted, hashes, strict=True):
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


def jaccard(one, other, width=5):
    a, b = map(set, hashed([one, other], width))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a + b", "a - b"), ("if x == y", "if x != y"), ("a << 2", "a >> 2"), ("!ready", "ready")],
)
def test_another_operator_is_another_program(one, other):
    assert jaccard(one, other) == 0
    assert hashed([one], operators=False) == hashed([other.replace("!", "")], operators=False)


def test_formatting_is_the_same_program():
    one = "def f(a, b):\n    return {'sum': a + b, \"list\": [a]}\n"
    other = 'def f(\n  a, b,\n):\n  return {\n    "sum": a + b,\n    "list": [a],\n  }\n'
    assert jaccard(one, other) == 1


SENTENCES = {
    "Chinese": "今天天气很好我们一起去公园散步看见许多美丽的花朵和高大的树木非常开心",
    "Japanese": "今日は天気がとても良いので公園を散歩してたくさんの美しい花を見ました",
    "Thai": "วันนี้อากาศดีมากเราไปเดินเล่นที่สวนสาธารณะและเห็นดอกไม้สวยงามมากมาย",
    "Khmer": "ថ្ងៃនេះអាកាសធាតុល្អណាស់យើងទៅដើរលេងនៅសួនច្បារនិងឃើញផ្កាស្អាតៗជាច្រើន",
}


@pytest.mark.parametrize("script", SENTENCES)
def test_scripts_without_blanks_are_compared_by_characters(script):
    """One changed character among many lines of one long word each."""
    line = SENTENCES[script]
    text = "\n".join(line[k:] + line[:k] for k in range(12))
    middle = len(text) // 2
    changed = text[:middle] + next(c for c in line if c != text[middle]) + text[middle + 1 :]
    assert 0.85 < jaccard(text, changed) < 1
    assert jaccard(line, line[::-1]) < 0.3


def test_what_stands_alone_is_written_without_blanks():
    """No letter of a script with blanks between words is cut off its word."""
    wordy = (
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "ARABIC LETTER",
        "HEBREW",
        "DEVANAGARI",
        "HANGUL SYLLABLE",
    )
    plane = (chr(k) for k in range(0x80, 0xF900) if not 0xD800 <= k < 0xE000)
    cut = [
        c for c in plane if re.match(f"[{ALONE}]", c) and unicodedata.name(c, "").startswith(wordy)
    ]
    assert cut == []
