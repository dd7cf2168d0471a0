"""What is taken over as a stage's result is what the stage would have written; else one line says why."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from lemur.core.contracts import read
from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.trace import adopted
from lemur.trace.adopt import adopt
from lemur.trace.adoptable import Asked

SHAPE = {"layers": 2, "hidden": 8, "heads": 2, "kv_heads": 1, "intermediate": 12, "vocabulary": 20,
         "tied_embeddings": True, "max_context": 64}  # fmt: skip
ASKED = {
    "recipe": "own",
    "base": "small",
    "architecture": SHAPE,
    "corpus": "corpus",
    "tokenizer": "small",
    "tokenizer_file": "resources/models/small/model/tokenizer.json",
    "sources": {"wiki": 1, "code": 2},
    "models": ["start", "chat"],
    "benchmarks": {"gsm8k": {"format": "chatml", "shots": 0}},
}


def safetensors(path: Path, shapes: dict[str, list[int]]) -> None:
    """A file of zeros in the format's own words, without a library that this environment lacks."""
    at, described = 0, {}
    for name, shape in shapes.items():
        size = 4 * int(np.prod(shape))
        described[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(described).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(at))


def weights() -> dict[str, list[int]]:
    found = {"model.embed_tokens.weight": [20, 8], "model.norm.weight": [8]}
    for layer in range(2):
        name = f"model.layers.{layer}"
        found |= {
            f"{name}.q": [8, 8],
            f"{name}.o": [8, 8],
            f"{name}.k": [4, 8],
            f"{name}.v": [4, 8],
        }
        found |= {f"{name}.{part}": [12, 8] for part in ("gate", "up", "down")}
        found |= {f"{name}.{part}": [8] for part in ("input_layernorm", "post_attention_layernorm")}
    return found


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A run's folder with the recipe's tokenizer, and a model beside it."""
    monkeypatch.chdir(tmp_path)
    tokenizer = Path(ASKED["tokenizer_file"])
    tokenizer.parent.mkdir(parents=True)
    tokenizer.write_text('{"model": {"vocab": 20}}')
    folder = Path("theirs")
    folder.mkdir()
    (folder / "tokenizer.json").write_text(tokenizer.read_text())
    config = {
        "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 8, "num_attention_heads": 2,
        "num_key_value_heads": 1, "intermediate_size": 12, "vocab_size": 20,
        "max_position_embeddings": 64, "tie_word_embeddings": True,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    safetensors(folder / "model.safetensors", weights())
    (folder / "pytorch_model.bin").write_bytes(b"a pickle, which nothing here reads")
    return tmp_path


def refused(stage: str, of: str = "theirs") -> str:
    """Why nothing is adopted; one line, and nothing is written."""
    with pytest.raises(UserError) as caught:
        adopt(Path(of), stage, "Ada", read(Asked, ASKED, "--asked"))
    assert not Path("results").exists() and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_is_copied_described_and_recorded():
    said = adopt(Path("theirs"), "pretrain", "Ada", read(Asked, ASKED, "--asked"))
    assert said.startswith(
        "adopted theirs as results/own/pretrain: its rule does not make it again"
    )
    assert "came without metrics.jsonl" in said
    place = Path("results/own/pretrain")
    assert sorted(path.name for path in (place / "model").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    done = json.loads((place / "DONE.json").read_text())
    assert done["adopted"] is True and done["kind"] == "pretrained" and len(done["files"]) == 3
    record = json.loads((place / "DONE.json.prov.json").read_text())
    assert record["spec"]["adopted"] == {"from": "theirs", "by": "Ada"}
    assert sorted(adopted.listed()) == [str(place / "DONE.json"), str(place / "metrics.jsonl")]


def test_nothing_that_later_stages_hash_knows_when_or_by_whom():
    hashed = set()
    for who in ("Ada", "Grace"):
        adopt(Path("theirs"), "pretrain", who, read(Asked, ASKED, "--asked"))
        hashed.add(Path("results/own/pretrain/DONE.json").read_bytes())
    assert len(hashed) == 1


def test_a_run_from_elsewhere_keeps_what_it_says_of_itself():
    adopt(Path("theirs"), "pretrain", "Ada", read(Asked, ASKED, "--asked"))
    own = Path("results/own/pretrain")
    done = json.loads((own / "DONE.json").read_text())
    (own / "DONE.json").write_text(json.dumps({**done, "final_loss": 1.5}))
    (own / "metrics.jsonl").write_text('{"step": 1}\n')
    own.rename("run")
    said = adopt(Path("run"), "pretrain", "Ada", read(Asked, ASKED, "--asked"))
    assert "without metrics" not in said
    assert json.loads((own / "DONE.json").read_text())["final_loss"] == 1.5
    assert (own / "metrics.jsonl").read_text() == '{"step": 1}\n'


def changed(**values):
    path = Path("theirs/config.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def header(described):
    """A safetensors file that describes its tensors so, with four bytes of them."""
    text = json.dumps(described).encode()
    Path("theirs/model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))


def without(name):
    shapes = weights()
    del shapes[name]
    safetensors(Path("theirs/model.safetensors"), shapes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: changed(hidden_size=16), "hidden is 16, but the recipe's base small has 8"),
        (lambda: changed(model_type="gpt2"), "model_type 'gpt2' cannot be trained here"),
        (lambda: Path("theirs/config.json").write_text("{"), "not valid JSON"),
        (lambda: Path("theirs/tokenizer.json").write_text("{}"), "is not that of the recipe's base"),
        (lambda: Path("theirs/tokenizer.json").unlink(), "no tokenizer.json"),
        (lambda: Path(ASKED["tokenizer_file"]).unlink(), "is not there to compare its tokenizer"),
        (lambda: without("model.layers.1.q"), "its files have 1,096 weights and config.json's shape 1,160"),
        (lambda: Path("theirs/model.safetensors").write_bytes(b"pickle"), "is no safetensors file"),
        (lambda: os.truncate("theirs/model.safetensors", 3000), "is cut short or has more"),
        (lambda: header({"a": {"dtype": "F32", "data_offsets": [0, 4]}}), "is no safetensors file"),
        (lambda: header({"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}), "is no safetensors file"),
        (lambda: header({"a": 5}), "is no safetensors file"),
        (lambda: Path("theirs/model.safetensors.index.json").write_text("[]"), "model.safetensors.index.json has no 'weight_map'"),
        (lambda: Path("theirs/config.json").unlink(), "no model folder"),
    ],
)  # fmt: skip
def test_what_is_no_such_model_is_refused(change, words):
    change()
    assert words in refused("pretrain")


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("pretraining", "no such stage (allowed: pretrain, sft, tokens/"),
        ("tokens/wikipedia/part-0-of-1", "no source 'wikipedia' in the recipe; did you mean"),
        ("tokens/code/part-2-of-2", "no part 'part-2-of-2'"),
        ("evaluate/chat/gsm", "no benchmark 'gsm' in the recipe; did you mean 'gsm8k'?"),
    ],
)
def test_a_place_that_is_none_is_refused(stage, words):
    assert words in refused(stage)


def test_what_is_not_there_is_refused():
    assert refused("pretrain", "their") == "of=their: no such file or folder"


def token_file(**changes) -> Path:
    described = {
        "source": "code", "part": 1, "parts": 2, "vocabulary": 20, "dtype": "uint16", "eos": 0,
        "tokenizer_sha256": sha256_of(ASKED["tokenizer_file"]), "documents": 2, "tokens": 5, **changes,
    }  # fmt: skip
    Path("t.json").write_text(json.dumps(described))
    np.array([1, 2, 0, 19, 0], "<u2").tofile("t.bin")
    np.save("t.offsets.npy", np.array([0, 3, 5], "<u8"))
    return Path("t.json")


def test_a_token_file_is_taken_with_what_lies_beside_it():
    adopt(token_file(), "tokens/code/part-1-of-2", "Ada", read(Asked, ASKED, "--asked"))
    place = Path("results/tokens/corpus/small/code")
    assert (place / "part-1-of-2.bin").read_bytes() == Path("t.bin").read_bytes()
    names = {"part-1-of-2.json", "part-1-of-2.bin", "part-1-of-2.offsets.npy"}
    assert {Path(path).name for path in adopted.listed()} == names


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "wiki"}, "is part-1-of-2 of 'wiki', not part-1-of-2 of 'code'"),
        ({"tokenizer_sha256": "0"}, "was made with another tokenizer"),
        ({"tokens": 6}, "says 2 documents of 6 tokens, its files have 2 of 5"),
        ({"vocabulary": 19}, "has token 19, but a vocabulary of 19"),
        ({"vocabulary": 30}, "has a vocabulary of 30, the recipe's base small 20"),
        ({"vocabulary": "20"}, "vocabulary: '20' is not a whole number"),
        ({"documents": None}, "documents: None is not a whole number"),
        ({"dtype": "float16"}, "dtype is 'float16': allowed are uint16, uint32"),
    ],
)
def test_another_token_file_is_refused(changes, words):
    token_file(**changes)
    assert words in refused("tokens/code/part-1-of-2", "t.json")


def a_score(**changes) -> Path:
    found = {
        "benchmark": "gsm8k", "model": "chat", "metric": "exact match", "value": 0.5, "of": 4, "n": 4,
        "interval": [0.1, 0.9], "judged": True, "format": "chatml", "shots": 0, **changes,
    }  # fmt: skip
    Path("scores.json").write_text(json.dumps(found))
    Path("verdicts.jsonl").write_text('{"task": "gsm8k", "document": "a", "verdict": "passed"}\n')
    Path("prompt.txt").write_text("?")
    return Path("scores.json")


def test_a_score_is_taken_over():
    adopt(a_score(), "evaluate/chat/gsm8k", "Ada", read(Asked, ASKED, "--asked"))
    assert len(adopted.listed()) == 3
    Path("results/own/evaluate/chat/gsm8k/scores.json").unlink()
    assert len(adopted.listed()) == 2  # what is removed is not adopted any more


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "start"}, "model is 'start', but the recipe has 'chat'"),
        ({"shots": 5}, "shots is 5, but the recipe has 0"),
        ({"value": "0.5"}, "scores.json: value: '0.5' is not a number"),
        ({"interval": [0.9, 0.1]}, "interval (0.9, 0.1) is not from low to high"),
        ({"interval": 5}, "scores.json: interval: 5 is not a list"),
    ],
)
def test_another_score_is_refused(changes, words):
    a_score(**changes)
    assert words in refused("evaluate/chat/gsm8k", "scores.json")


def test_a_score_whose_verdicts_nobody_could_read_is_refused():
    a_score()
    Path("verdicts.jsonl").write_text("{}\n")
    assert "verdicts.jsonl: line 1: task is missing" in refused(
        "evaluate/chat/gsm8k", "scores.json"
    )


def test_offsets_that_are_none_are_refused_and_no_documents_are_taken():
    token_file()
    Path("t.offsets.npy").write_bytes(b"\x93NUMPY")
    assert "t.offsets.npy is no array of offsets" in refused("tokens/code/part-1-of-2", "t.json")
    token_file()
    os.truncate("t.bin", 9)
    assert "t.bin is cut short: 9 bytes of uint16" in refused("tokens/code/part-1-of-2", "t.json")
    token_file(documents=0, tokens=0)
    Path("t.bin").write_bytes(b"")
    np.save("t.offsets.npy", np.array([0], "<u8"))
    adopt(Path("t.json"), "tokens/code/part-1-of-2", "Ada", read(Asked, ASKED, "--asked"))


def test_a_pattern_passes_over_what_is_adopted():
    files = {"results/own/pretrain/DONE.json": {}, "results/tokens/c/t/s/part-0-of-1.bin": {}}
    for below, name, rest in (
        ("results", "own", "/pretrain/DONE.json"),
        ("results/tokens", "c", "/t/s/part-0-of-1.bin"),
    ):
        pattern = re.compile(f"{adopted.passed_over(files, below)}(?:{name}){re.escape(rest)}$")
        assert not pattern.match(f"{name}{rest}")
        other = re.compile(f"{adopted.passed_over(files, below)}(?:{name})/other$")
        assert other.match(f"{name}/other")
    assert adopted.passed_over({}, "results") == ""
