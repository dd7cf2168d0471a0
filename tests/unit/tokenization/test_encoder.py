import json
import shutil

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lemur.core import contracts
from lemur.core.errors import UserError
from lemur.data.documents import shard
from lemur.tokenization.described import TokenFile
from lemur.tokenization.encoder import HARD, Encoder
from lemur.tokenization.token_files import tokenize
from lemur.tokenization.train_tokenizer import SPECIAL, train
from made_corpus import TOKENIZER, document, write_part
from tokenizers import Tokenizer

CODE = "def f(x):\n    return [x + 12 for _ in range(3)]  # caf\u00e9 \U0001f600\n"
SPECIALS = "a <|endoftext|> b <|im_start|>user <|im_end|> c"


def reference(folder=TOKENIZER):
    """Hugging Face tokenizers alone, special tokens in text taken as text."""
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made.encode_special_tokens = True
    return made


@pytest.fixture(scope="module")
def encoder():
    made = Encoder(TOKENIZER)
    assert made.prove([CODE])
    return made


@pytest.fixture(scope="module")
def slow():
    return reference()


def split(ids, offsets):
    return [ids[int(a) : int(b)].tolist() for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


@settings(max_examples=300, deadline=None)
@example([SPECIALS])
@example(list(HARD))
@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.text(" \n\t\r'1a<|im_end>", max_size=60)), max_size=4
    )
)
def test_fast_ids_are_hugging_faces_ids(encoder, slow, texts):
    made = split(*encoder.encode(texts))
    assert made == [slow.encode(text, add_special_tokens=False).ids for text in texts]
    assert not {0, 1, 2} & set(sum(made, []))
    assert [encoder.slow.decode(ids, skip_special_tokens=False) for ids in made] == texts


class Failing:
    """A fast tokenizer that raises on one character, as fastokens did on bytes it had no token for."""

    def __init__(self, inner):
        self.inner = inner

    def encode_batch_flat(self, texts, **options):
        if any("\x04" in text for text in texts):
            raise ValueError("no token for byte 04")
        return self.inner.encode_batch_flat(texts, **options)


class Wrong(Failing):
    def encode_batch_flat(self, texts, **options):
        ids, offsets = self.inner.encode_batch_flat(texts, **options)
        changed = np.frombuffer(ids, "<u4").copy()
        changed[-1:] += 1
        return changed.tobytes(), offsets


@pytest.fixture(scope="module")
def failing():
    made = Encoder(TOKENIZER)
    made._fast, made.fast = Failing(made._fast), True
    return made


@given(st.lists(st.sampled_from(["plain", "bad\x04", "", "\x04", CODE]), max_size=9))
def test_one_bad_document_costs_that_document_alone(failing, slow, texts):
    made = failing
    made.fallbacks = 0
    ids = split(*made.encode(texts))
    assert ids == [slow.encode(text, add_special_tokens=False).ids for text in texts]
    assert made.fallbacks == sum("\x04" in text for text in texts)


def test_a_fast_tokenizer_that_differs_is_not_used(slow):
    made = Encoder(TOKENIZER)
    made._fast = Wrong(made._fast)
    assert made.prove([CODE]) is False
    assert split(*made.encode([CODE])) == [slow.encode(CODE).ids]
    made._fast = None
    assert made.prove([CODE]) is False


def folder_with(tmp_path, **config):
    shutil.copytree(TOKENIZER, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    return tmp_path / "model", json.loads(path.read_text()), path


def test_a_document_ends_with_endoftext_or_with_eos(tmp_path):
    assert Encoder(TOKENIZER).eos == 0
    folder, declared, path = folder_with(tmp_path)
    path.write_text(json.dumps(declared).replace("<|endoftext|>", "</s>"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "eos_token": "</s>"}))
    assert Encoder(folder).eos == 0
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": None}))
    with pytest.raises(UserError, match="no eos_token|and no eos"):
        Encoder(folder)


def test_the_width_follows_the_vocabulary(tmp_path):
    assert Encoder(TOKENIZER).dtype == np.dtype("<u2")
    folder, declared, path = folder_with(tmp_path)
    extra = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    for last, width in ((1 << 16, "<u2"), ((1 << 16) + 1, "<u4")):
        vocabulary = dict(declared["model"]["vocab"])
        vocabulary |= {f"{k}\u0120x": k for k in range(len(vocabulary), last - 1)}
        added = [
            *declared["added_tokens"],
            {"id": last - 1, "content": "<z>", "special": True, **extra},
        ]
        model = {**declared["model"], "vocab": {**vocabulary, "<z>": last - 1}}
        path.write_text(json.dumps({**declared, "added_tokens": added, "model": model}))
        assert (Encoder(folder).vocabulary, Encoder(folder).dtype) == (last, np.dtype(width))


def test_a_damaged_or_random_tokenizer_is_refused(tmp_path):
    folder, declared, path = folder_with(tmp_path)
    path.write_text(json.dumps({**declared, "model": {**declared["model"], "dropout": 0.1}}))
    with pytest.raises(UserError, match="dropout"):
        Encoder(folder)
    path.write_text("{")
    with pytest.raises(UserError, match=r"tokenizer\.json: not a tokenizer"):
        Encoder(folder)


def test_a_token_file_is_every_document_and_an_end_token(tmp_path, slow):
    rows = [
        document(CODE),
        document("", "sql"),
        document(SPECIALS, "sql", heldout=True),
        document("x\x04\n"),
    ]
    path = write_part(tmp_path, "src", rows, 1, 3)
    out = tmp_path / "tokens" / "part-1-of-3.json"
    made = tokenize(shard(path), Encoder(TOKENIZER), out)
    assert contracts.read_file(TokenFile, out) == made
    wanted = [slow.encode(row["text"], add_special_tokens=False).ids + [0] for row in rows]
    assert np.fromfile(out.with_suffix(".bin"), "<u2").tolist() == sum(wanted, [])
    offsets = np.load(tmp_path / "tokens" / "part-1-of-3.offsets.npy")
    assert offsets.dtype == np.uint64
    assert offsets.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()
    assert (made.source, made.part, made.parts, made.documents) == ("src", 1, 3, 4)
    assert made.heldout_tokens == len(wanted[2])
    assert made.languages == {
        "python": len(wanted[0]) + len(wanted[3]),
        "sql": len(wanted[1]) + len(wanted[2]),
    }
    assert (made.dtype, made.eos, made.vocabulary) == ("uint16", 0, 4096)
    assert made.fast and made.fallback_documents == 0


def test_the_same_documents_give_the_same_bytes(tmp_path):
    path = write_part(tmp_path, "s", [document(f"{CODE}{k}") for k in range(1200)])
    for name in ("a", "b"):
        tokenize(shard(path), Encoder(TOKENIZER), tmp_path / name / "part-0-of-1.json")
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_damaged_parquet_leaves_no_token_file(tmp_path):
    path = write_part(tmp_path, "s", [document(CODE)])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="not a whole parquet file"):
        tokenize(shard(path), Encoder(TOKENIZER), tmp_path / "out" / "part-0-of-1.json")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_the_committed_tokenizer_is_what_its_readme_says():
    made = reference()
    assert made.get_vocab_size() == 4096
    assert [made.id_to_token(k) for k in range(3)] == list(SPECIAL)
    assert made.encode("10").tokens == ["1", "0"]
    config = json.loads((TOKENIZER / "tokenizer_config.json").read_text())
    assert config["eos_token"] == "<|endoftext|>"
    assert "<|im_start|>" in config["chat_template"]


def test_training_is_repeatable():
    texts = ["def f(x): return x + 1\n", "the state of the union " * 3] * 20
    one, two = (train(iter(texts), 300).to_str() for _ in range(2))
    assert one == two
    assert json.loads(one)["model"]["type"] == "BPE"
