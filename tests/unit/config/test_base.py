"""A base by name, by folder and by the hub: its architecture is read, what cannot be trained refused."""

import json

import pytest
from hubserver.server import COMMIT, HubServer
from lemur.config import load
from lemur.config.base import SUPPORTED, architecture, find_base
from lemur.core.errors import UserError
from lemur.dag import local_lock

CONFIG = {
    "model_type": "llama", "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 61,
    "max_position_embeddings": 64, "torch_dtype": "float16",
}  # fmt: skip
SHAPE = {
    "layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "intermediate": 48, "vocabulary": 61,
    "max_context": 64, "tied_embeddings": False,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A model folder beside a recipe, its weights a link as in the hub's own cache."""
    made = tmp_path / "models" / "tiny one"
    made.mkdir(parents=True)
    (tmp_path / "blob").write_bytes(b"weights")
    (made / "model.safetensors").symlink_to(tmp_path / "blob")
    for name, text in {"config.json": json.dumps(CONFIG), "tokenizer_config.json": "{}", "tokenizer.json": "{}", "pytorch_model.bin": "x"}.items():  # fmt: skip
        (made / name).write_text(text)
    return made


def test_a_folder_beside_the_recipe(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    entry = find_base("models/tiny one", {}, "mine.yaml", tmp_path)
    assert entry["architecture"] == SHAPE and entry["dtype"] == "bfloat16"
    assert entry["from"] == {"path": "models/tiny one"}
    recipe = {
        "base": entry, "corpus": {"sources": []}, "sft": {"sources": []},
        "evaluate": {"models": ["start"], "benchmarks": []},
    }  # fmt: skip
    lock = local_lock.look(recipe, tmp_path / "local.lock.json")
    read = [file["path"] for file in lock[f"models/{entry['name']}"]["files"]]
    assert read == ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]


def test_a_folder_that_models_yaml_names(folder, tmp_path, monkeypatch):
    """Beside the recipe, with its licence; the shape is still the model's own word."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.yaml").write_text(
        "models: {ours: {from: {path: models/tiny one}, licence: own}}\n"
    )
    models = load.catalogue("models", tmp_path)
    entry = find_base("ours", models, "mine.yaml", tmp_path)
    assert (entry["name"], entry["licence"], entry["architecture"]) == ("ours", "own", SHAPE)


@pytest.mark.parametrize("change, line", [
    ({"model_type": "gpt2"}, "model_type 'gpt2' cannot be trained here (allowed: llama, mistral, qwen2, qwen3)"),
    ({"model_type": "mixtral"}, "model_type 'mixtral' cannot be trained here; did you mean 'mistral'?"),
    ({"model_type": None}, "model_type None cannot be trained here"),
    ({"hidden_size": None}, "hidden_size: None: a whole number"),
    ({"vocab_size": True}, "vocab_size: True: a whole number"),
    ({"sliding_window": 4096}, "sliding_window: attention over a window cannot be trained here"),
    ({"quantization_config": {}}, "quantization_config: packed weights cannot be trained"),
])  # fmt: skip
def test_what_cannot_be_trained_is_one_line(change, line):
    with pytest.raises(UserError) as caught:
        architecture({**CONFIG, **change}, "mine.yaml: base: tiny")
    assert str(caught.value).startswith("mine.yaml: base: tiny: config.json: ")
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_each_supported_family_is_read():
    own = {"qwen2": {"biases": "queries-keys-values"}, "qwen3": {"head_norms": True}}
    for kind in SUPPORTED:
        assert architecture({**CONFIG, "model_type": kind, "head_dim": 16}, "x") == {
            **SHAPE,
            "head_dim": 16,
            **own.get(kind, {}),
        }
    unused = {**CONFIG, "model_type": "qwen2", "sliding_window": 32, "use_sliding_window": False}
    assert architecture(unused, "x") == {**SHAPE, **own["qwen2"]}


@pytest.mark.parametrize("gone, line", [
    ("config.json", "not a model folder, config.json is missing"),
    ("tokenizer.json", "no tokenizer (tokenizer.json)"),
    ("model.safetensors", "no *.safetensors; other weights are not loaded"),
])  # fmt: skip
def test_half_a_folder_is_one_line(folder, tmp_path, gone, line, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / gone).unlink()
    with pytest.raises(UserError) as caught:
        find_base("models/tiny one", {}, "mine.yaml", tmp_path)
    assert str(caught.value) == f"mine.yaml: base: models/tiny one: {line}"


def test_nothing_of_that_name(tmp_path):
    with pytest.raises(UserError, match="mine.yaml: base: 'smoke-2m' is no model in config/models.yaml or .*, no folder and no owner/name of the hub; did you mean 'smoke-1m'"):  # fmt: skip
        find_base("smoke-2m", {"smoke-1m": {}}, "mine.yaml", tmp_path)


def test_a_hub_name_is_asked_once_and_then_stands_in_the_lock(tmp_path, monkeypatch):
    with HubServer() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.models["me/tiny"] = {
            "config.json": json.dumps(CONFIG).encode(),
            "model.safetensors": b"x" * 2000,
        }
        entry = find_base("me/tiny", {}, "mine.yaml", tmp_path)
        with pytest.raises(UserError, match="^mine.yaml: base: me/none: .*no model 'me/none'"):
            find_base("me/none", {}, "mine.yaml", tmp_path)
    assert entry["architecture"] == SHAPE and entry["from"]["revision"] == COMMIT
    recipe = {
        "base": entry, "corpus": {"sources": []}, "sft": {"sources": []},
        "evaluate": {"models": ["start"], "benchmarks": []},
    }  # fmt: skip
    lock = local_lock.look(recipe, tmp_path / "local.lock.json")
    local_lock.write_lock(tmp_path / "local.lock.json", lock)
    assert "locked" not in local_lock.with_local(recipe, lock)["base"]
    monkeypatch.setenv("LEMUR_OFFLINE", "1")
    assert find_base("me/tiny", {}, "mine.yaml", tmp_path) == entry
    with pytest.raises(UserError, match="LEMUR_OFFLINE forbids the network"):
        find_base(f"me/tiny@{COMMIT}", {}, "mine.yaml", tmp_path)
