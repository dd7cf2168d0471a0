"""Ids with digits split by cutting are those of Hugging Face tokenizers, which splits them."""

import copy
import json
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.tokenization import digit_splitting
from lemur.tokenization.encoder import Encoder
from made_corpus import TOKENIZER
from tokenizers import Tokenizer, pre_tokenizers

DECLARED = json.loads((TOKENIZER / "tokenizer.json").read_text())


@pytest.fixture(scope="module")
def encoder():
    made = Encoder(TOKENIZER)
    assert isinstance(made._fast, digit_splitting.Undigited)
    assert made.prove([])
    return made


@pytest.fixture(scope="module")
def slow():
    made = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))
    made.encode_special_tokens = True
    return made


def equal(encoder, slow, texts):
    ids, offsets = encoder.encode(texts)
    want = [one.ids for one in slow.encode_batch_fast(texts, add_special_tokens=False)]
    ends = offsets.astype(np.int64)
    return [ids[a:b].tolist() for a, b in zip(ends, ends[1:], strict=False)] == want


# All kinds of characters that the two pre-tokenizers look at, in runs.
CLASSES = (
    "aZ\u00e9\u4f60",
    "09",
    "\u0663\u00bd\u2167\u00b2\u3007",
    " ",
    "\t\n\r",
    "\u00a0\u2003\x85",
)
CLASSES += "'st", ".#\u20ac", "\x00\x1c", "\u0301\u200d\U0001f600", "\U000e0001"
RUN = st.sampled_from(CLASSES).flatmap(lambda its: st.text(its, min_size=1, max_size=4))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(RUN, max_size=12).map("".join), max_size=5))
def test_runs_of_every_kind_of_character(encoder, slow, texts):
    assert equal(encoder, slow, texts)


def test_every_character_beside_white_space_and_digits(encoder, slow):
    """All of Unicode but surrogates; characters that Python has no category for go the slow way."""
    points = [p for p in range(sys.maxunicode + 1) if not 0xD800 <= p < 0xE000]
    known = [chr(p) for p in points if unicodedata.category(chr(p)) not in ("Cn", "Co")]
    assert len(known) > 140_000
    before = encoder.fallbacks
    beside = [f"{c}1 {c}  2{c}{c}a \n{c}'s  {c}3\n\n{c}" for c in known]
    for at in range(0, len(beside), 4_000):
        texts = ["".join(beside[k : k + 100]) for k in range(at, at + 4_000, 100)]
        assert equal(encoder, slow, texts), known[at]
    assert encoder.fallbacks == before
    assert equal(encoder, slow, ["a  1\u0378  2", "plain  1"])
    assert encoder.fallbacks == before + 1


def test_pieces_are_the_texts_and_no_more_than_needed():
    texts = ["a 1", "", "a  1", "\u0663x", "  12  3", "1\u00a0\n2", "\u4f60 \u00bd"]
    pieces, firsts = digit_splitting.cut(texts)
    assert ["".join(pieces[a:b]) for a, b in zip(firsts, firsts[1:], strict=False)] == texts
    assert np.diff(firsts).tolist() == [1, 1, 2, 2, 3, 2, 2]


def test_white_space_is_what_an_expression_means_by_it():
    space = pre_tokenizers.ByteLevel(add_prefix_space=False)
    for point in (p for p in range(0x3100) if chr(p).isspace() or p in digit_splitting._WHITE):
        # A run of white space leaves its last character to what follows; another one does not.
        first = space.pre_tokenize_str(f"\t{chr(point)}\tx")[0][1]
        assert (first[1] > 1) == (point in digit_splitting._WHITE), hex(point)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["pre_tokenizer"]["pretokenizers"].pop(0),
        lambda d: d["pre_tokenizer"]["pretokenizers"][0].update(individual_digits=False),
        lambda d: d["pre_tokenizer"]["pretokenizers"][1].update(add_prefix_space=True),
        lambda d: d.update(normalizer={"type": "NFC"}),
        lambda d: d["model"]["vocab"].update({"a1": 4096}),
        lambda d: d["added_tokens"][0].update(special=False),
    ],
)
def test_another_tokenizer_is_left_as_it_is(change):
    assert digit_splitting.undigited(DECLARED)["pre_tokenizer"]["type"] == "ByteLevel"
    other = copy.deepcopy(DECLARED)
    change(other)
    assert digit_splitting.undigited(other) is None
