import json

import numpy as np
import pytest
from as_json import gather, write_sft
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.mixture.benchmark_texts import Problem
from lemur.mixture.decontaminate import Index
from lemur.sft.conversation import Conversation
from lemur.sft.conversations import choose, name_of, write
from lemur.tokenization.packed import IGNORED, PackedDataset
from made_corpus import TOKENIZER
from tokenizers import Tokenizer

SPEC = {"context": 64, "seed": 1, "template": "chatml", "max_examples": None}
TOKENS = Tokenizer.from_file(str(TOKENIZER / "tokenizer.json"))


def talk(*texts):
    roles = ("user", "assistant")
    return [{"role": roles[k % 2], "content": text} for k, text in enumerate(texts)]


def build(folder, talks, **changes):
    lines = [
        Conversation(name_of(talk), f"s{k % 2}", "text", tuple(talk))
        for k, talk in enumerate(talks)
    ]
    write(lines, folder / "conversations.jsonl")
    out = folder / "index.json"
    realised = write_sft({**SPEC, **changes}, folder / "conversations.jsonl", TOKENIZER, out)
    assert json.loads((folder / "realised.json").read_text()) == realised
    return PackedDataset(out), realised


def predicted(data):
    """For every packed document: the text of the tokens that the loss counts."""
    said = []
    for k in range(len(data)):
        item = data[k]
        for number in range(item["segment_ids"].max() + 1):
            labels = item["labels"][item["segment_ids"] == number]
            ids = labels[labels != IGNORED].tolist()
            said.append(TOKENS.decode(ids, skip_special_tokens=False))
    return said


WORDS = st.text("ab 1\n\u00e9", min_size=1, max_size=12)


@settings(deadline=None, max_examples=25)
@given(talks=st.lists(st.lists(WORDS, min_size=2, max_size=6), min_size=1, max_size=6))
def test_the_loss_counts_exactly_what_assistants_say(tmp_path_factory, talks):
    talks = [talk(*texts[: len(texts) // 2 * 2]) for texts in talks]
    data, realised = build(tmp_path_factory.mktemp("sft"), talks, context=512)
    wanted = ["".join(f"{one['content']}<|im_end|>\n" for one in made[1::2]) for made in talks]
    assert sorted(predicted(data)) == sorted(wanted)
    labels = sum(int((data[k]["labels"] != IGNORED).sum()) for k in range(len(data)))
    assert realised["trained_tokens"] == labels
    assert realised["conversations"] == len(talks)
    assert realised["truncated"] == 0
    used = sum(int((data[k]["segment_ids"] >= 0).sum()) for k in range(len(data)))
    assert realised["tokens"] == used
    assert realised["padding"] == len(data) * 512 - used


def test_a_long_conversation_keeps_whole_leading_exchanges(tmp_path):
    long = talk("one", "two", "three", "four " * 60)
    data, realised = build(tmp_path, [long, talk("q " * 80, "never"), talk("a", "b")])
    assert sorted(predicted(data)) == ["b<|im_end|>\n", "two<|im_end|>\n"]
    assert realised["left_out"] == {"too_long": 1, "not_spellable": 0}
    assert realised["truncated"] > 120
    assert realised["sources"]["s0"]["conversations"] == 2


def test_nothing_that_fits_is_one_line(tmp_path):
    with pytest.raises(UserError, match="none of 1 conversations fits into sft.context 64"):
        build(tmp_path, [talk("q " * 80, "a")])
    with pytest.raises(UserError, match="did you mean 'chatml'"):
        build(tmp_path, [talk("q", "a")], template="chatmll")
    (tmp_path / "conversations.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(UserError, match="conversations.jsonl: line 1: source is missing"):
        write_sft(SPEC, tmp_path / "conversations.jsonl", TOKENIZER, tmp_path / "index.json")


def test_odd_letters_and_a_byte_order_mark(tmp_path):
    """JSON lets U+2028 stand in a text; a line of a file ends at a newline alone."""
    made = talk("q\u2028w", "a\x85b\u2029c")
    data, _ = build(tmp_path, [made])
    assert predicted(data) == ["a\x85b\u2029c<|im_end|>\n"]
    path = tmp_path / "conversations.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n")
    assert write_sft(SPEC, path, TOKENIZER, tmp_path / "index.json")["conversations"] == 1


def test_max_examples_and_the_same_bytes(tmp_path):
    talks = [talk(f"q{k}", f"a{k}") for k in range(30)]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        data, realised = build(tmp_path / name, talks, max_examples=10)
    assert realised["conversations"] == 10
    assert data.index.masks == ("conversations.mask",)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    mask = np.fromfile(tmp_path / "a" / "conversations.mask", "u1")
    assert len(mask) == realised["tokens"] and mask.sum() == realised["trained_tokens"]


def test_choosing_is_by_seed_and_never_twice():
    talks = [talk(f"q{k}", f"a{k}") for k in range(20)]
    taken: set[str] = set()
    first = choose(talks, 5, 1, taken, None)
    assert choose(reversed(talks), 5, 1, set(), None) == first
    assert choose(talks, 5, 2, set(), None) != first
    rest = choose(talks, 99, 1, taken, None)
    assert len(rest) == 15 and not {name for name, _ in rest} & {name for name, _ in first}


def test_a_conversation_that_overlaps_a_benchmark_is_left_out():
    copied = "one copied sentence of a benchmark that is longer than thirteen words in all surely"
    index = Index([Problem("b", "1", (copied,), False)], 13, 10)
    talks = [talk("q", "a"), talk("q", f"so: {copied}")]
    assert [one for _, one in choose(talks, 9, 1, set(), index)] == talks[:1]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"name": "x", "format": "chit", "examples": 1}, "unknown format 'chit'"),
        (
            {"name": "egg", "format": "eg", "examples": 1},
            "no manifest of 'egg'.*did you mean 'eg_'",
        ),
        ({"name": "d", "format": "docstring", "examples": 1}, "sft.sources.d: no conversation"),
    ],
)
def test_a_wrong_source_is_one_line(tmp_path, entry, words):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"name": "eg_", "files": []}))
    with pytest.raises(UserError, match=words):
        list(gather({"sources": [entry], "seed": 1}, [path], [], {}, None, {}))
