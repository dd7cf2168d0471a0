"""Random and hub starts, and folders that appear whole."""

import json
import subprocess
import sys

import pytest
import torch
import yaml
from lemur.core.errors import UserError
from lemur.core.files import sha256_of
from lemur.core.provenance import ROOT
from lemur.models import folder
from lemur.models.card import start_card, trained_card
from lemur.models.prepare import prepare
from lemur.models.result import TrainingResult
from tiny_training import settings, tiny_model
from transformers import AutoModelForCausalLM, AutoTokenizer

MODELS = yaml.safe_load((ROOT / "config" / "models.yaml").read_text())["models"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    done = tmp_path_factory.mktemp("smoke") / "DONE.json"
    prepare({**MODELS["smoke-1m"], "name": "smoke-1m"}, None, done)
    return done


def test_smoke_is_about_a_million_parameters(smoke):
    model = AutoModelForCausalLM.from_pretrained(smoke.parent / "model")
    count = sum(p.numel() for p in model.parameters())
    assert 0.9e6 < count < 1.3e6 and json.loads(smoke.read_text())["parameters"] == count
    tokenizer = AutoTokenizer.from_pretrained(smoke.parent / "model")
    assert len(tokenizer) == model.config.vocab_size == 4096
    assert model.lm_head.weight is model.model.embed_tokens.weight
    text = "select a, b from t where c >= 10;\n"
    assert tokenizer.decode(tokenizer(text).input_ids) == text


def test_random_weights_depend_on_the_seed_alone(smoke, tmp_path):
    torch.manual_seed(99)
    torch.randn(3)
    spec = {**MODELS["smoke-1m"], "name": "smoke-1m"}
    prepare(spec, None, tmp_path / "same" / "DONE.json")
    assert (tmp_path / "same" / "DONE.json").read_text() == smoke.read_text()
    source = {"random": {**spec["from"]["random"], "seed": 1}}
    prepare({**spec, "from": source}, None, tmp_path / "other" / "DONE.json")
    one, other = (
        json.loads(path.read_text())["files"]["model.safetensors"]
        for path in (smoke, tmp_path / "other" / "DONE.json")
    )
    assert one != other


def test_every_named_shape_counts_the_parameters_that_its_name_says():
    """The cost plan computes from these blocks; a digit wrong would be a wrong bill."""
    from lemur.cost.architecture import Architecture, parameters

    expected = {
        "smollm2-135m-instruct-q4": 134_515_008,
        "smollm2-135m": 134_515_008,
        "smoke-1m": 1_115_264,
        "study-tiny": 149_664,
        "study-1m": 1_115_264,
        "study-3m": 3_541_824,
        "study-13m": 14_162_304,
        "lemur-70b-v1": 68_976_648_192,
        "codellama-34b": 33_743_970_304,
        "codellama-34b-instruct": 33_743_970_304,
        "llama-2-70b-chat": 68_976_648_192,
        "llama-2-70b": 68_976_648_192,
        "llama-2-7b": 6_738_415_616,
        "llama-3-8b": 8_030_261_248,
        "tinyllama-1.1b": 1_100_048_384,
        "smollm2-360m-instruct": 361_821_120,
        "smollm2-1.7b-instruct": 1_711_376_384,
        "qwen2.5-0.5b-instruct": 494_032_768,
        "qwen2.5-1.5b-instruct": 1_543_714_304,
        "qwen2.5-7b-instruct": 7_615_616_512,
    }
    shapes = {n: m["architecture"] for n, m in MODELS.items() if "architecture" in m}
    assert {
        n: parameters(Architecture.read(shape))["total"] for n, shape in shapes.items()
    } == expected


@pytest.mark.parametrize("kind, more", [
    ("llama", {}), ("llama", {"attention_bias": True, "mlp_bias": True}), ("mistral", {"head_dim": 16}),
    ("mistral", {"attention_bias": True}), ("qwen2", {}), ("qwen3", {"head_dim": 16}), ("qwen3", {}),
])  # fmt: skip
def test_a_supported_kinds_parameters_are_counted_to_the_last(kind, more):
    """What the plan computes and what an adopted model is held against: Qwen2 has biases, Qwen3 norms."""
    from lemur.config.model_shape import read_shape
    from lemur.cost.architecture import Architecture, parameters
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        kind, num_hidden_layers=2, hidden_size=32, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=48, vocab_size=64, max_position_embeddings=128, tie_word_embeddings=True, **more,
    )  # fmt: skip
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    shape = Architecture.read(read_shape(config.to_dict(), "x"))
    assert parameters(shape)["total"] == sum(p.numel() for p in model.parameters())


def test_the_instruct_start_is_never_called_a_base():
    entry = MODELS["smollm2-135m-instruct-q4"]
    assert entry["kind"] == "instruct" and "4-bit" in entry["description"]
    card = start_card({**entry, "name": "smollm2-135m-instruct-q4"})
    assert "not a base model" in card and "kind: instruct" in card


def snapshot(tmp_path, without=()):
    """(spec, manifest) of a downloaded hub snapshot."""
    base = tmp_path / "download"
    tiny_model(base / "files", tie_word_embeddings=False)
    entries = [
        {"path": f"files/{path.name}", "sha256": sha256_of(path), "size": path.stat().st_size}
        for path in sorted((base / "files").iterdir())
        if path.name not in without
    ]
    manifest = base / "manifest.json"
    manifest.write_text(json.dumps({"files": entries}))
    spec = {
        "name": "tiny-hub",
        "from": {"hub": "owner/tiny", "repo_type": "model", "revision": "a" * 40, "files": ["*"]},
        "dtype": "float32",
        "licence": "MIT",
    }
    return spec, manifest


def test_a_hub_snapshot(tmp_path):
    spec, manifest = snapshot(tmp_path)
    done = tmp_path / "out" / "DONE.json"
    prepare(spec, manifest, done)
    one = AutoModelForCausalLM.from_pretrained(done.parent / "model").state_dict()
    other = AutoModelForCausalLM.from_pretrained(tmp_path / "download" / "files").state_dict()
    assert one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
    assert json.loads(done.read_text())["from"]["revision"] == "a" * 40


@pytest.mark.parametrize(
    ("without", "said"),
    [("model.safetensors", "no safetensors"), ("tokenizer.json", "no tokenizer.json")],
)
def test_an_incomplete_snapshot_is_refused(tmp_path, without, said):
    spec, manifest = snapshot(tmp_path, without=(without,))
    with pytest.raises(UserError, match=said):
        prepare(spec, manifest, tmp_path / "out" / "DONE.json")
    assert not (tmp_path / "out").exists()


def test_a_download_without_its_manifest(tmp_path):
    spec, _ = snapshot(tmp_path)
    with pytest.raises(UserError, match="--manifest must name its files"):
        prepare(spec, None, tmp_path / "out" / "DONE.json")


def test_a_failed_fill_leaves_what_was_there(tmp_path):
    done = tmp_path / "DONE.json"

    def fill(text, fail=False):
        def write(target):
            (target / "config.json").write_text(text)
            if fail:
                raise OSError(28, "No space left on device")

        return write

    folder.publish(done, fill("one"), {"n": 1})
    with pytest.raises(OSError, match="No space"):
        folder.publish(done, fill("two", fail=True), {"n": 2})
    assert not done.exists()  # what it described is about to change
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "config.json").read_text() == "one"
    folder.publish(done, fill("three"), {"n": 3})
    assert json.loads(done.read_text())["n"] == 3


def test_digests_notice_other_weights(tmp_path):
    model = tiny_model(tmp_path / "one" / "model")
    other = tiny_model(tmp_path / "two" / "model", hidden_size=16)
    assert set(folder.digests(model)) == {"config.json", "model.safetensors", "tokenizer.json"}
    assert folder.digests(model) != folder.digests(other)


def test_cards_of_trained_models():
    result = TrainingResult(12, 768, 3.2, "torch", "fp32", "fp32", parameters=17_472)
    base = {"description": "a start", "kind": "instruct", "licence": "Llama-2 Community License"}
    data = {"sources": [{"name": "dask", "kind": "code", "tokens": 1234}]}
    card = trained_card(settings(), base, data, result)
    assert "license: llama2" in card and "| dask | code | 1,234 |" in card and "a start" in card
    counted = {"sources": {"eg": {"trained_tokens": 55}}}
    assert "| eg | conversations | 55 |" in trained_card(settings(), base, counted, result)
    assert "Not described" in trained_card(settings(), {}, None, result)
    assert "warm-up 0.25 of the steps" in card and "language models" not in card
    wrote = {"openorca": {"generated_by": "GPT-4", "licence": "MIT", "terms": "no rivals"}}
    spec = settings(stage="sft", generated_data=wrote, schedule__warmup_tokens=1280)
    card = trained_card(spec, base, counted, result)
    assert "- openorca: by GPT-4 (MIT; no rivals)" in card and "warm-up 1,280 tokens" in card


def test_the_command(tmp_path):
    spec = {**MODELS["smoke-1m"], "name": "smoke-1m"}
    done = tmp_path / "DONE.json"
    script = ROOT / "scripts" / "1_corpus" / "prepare_model.py"
    command = [sys.executable, str(script), "--spec", json.dumps(spec), "--out", str(done)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "DONE.json.prov.json").is_file()


def test_an_unknown_dtype():
    spec = {**MODELS["smoke-1m"], "name": "smoke-1m", "dtype": "float16"}
    with pytest.raises(UserError, match="config/models.yaml: smoke-1m.dtype: 'float16'; did you"):
        prepare(spec, None, ROOT / "never-written" / "DONE.json")
