"""A model folder whose parts do not go together is one line, whoever loads it."""

import json
import shutil

import pytest
import torch
from lemur.core.errors import UserError
from lemur.evaluation import generation
from lemur.models.weights import load_weights
from safetensors.torch import load_file, save_file


@pytest.fixture
def mine(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "model")
    return tmp_path / "model"


def changed(folder, change):
    """The folder with ``change`` made to its tensors."""
    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "pt"})


LAYER = "model.layers.1.mlp.up_proj.weight"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda all_: all_.pop(LAYER), f"1 weight is missing, the first is '{LAYER}'"),
        (lambda all_: all_.update({LAYER: all_[LAYER][:8].contiguous()}), "another shape"),
    ],
    ids=["missing", "shape"],
)
def test_weights_that_lack_a_tensor_are_never_scored(
    change, words, mine, spec, humaneval, tmp_path
):
    changed(mine, change)
    out = tmp_path / "out" / "generations.jsonl"
    with pytest.raises(UserError) as caught:
        generation.run(spec(limit=1), mine, humaneval, out)
    line = str(caught.value)
    assert words in line and f"'{LAYER}'" in line and str(mine) in line and "\n" not in line
    assert not out.exists()


def test_a_tokenizer_larger_than_the_embedding(mine, spec, humaneval, tmp_path):
    changed(
        mine, lambda all_: all_.update({k: v[:200].contiguous() for k, v in all_.items() if "embed" in k})
    )  # fmt: skip
    config = json.loads((mine / "config.json").read_text())
    (mine / "config.json").write_text(json.dumps({**config, "vocab_size": 200}))
    with pytest.raises(
        UserError, match="its tokenizer gives ids up to 259, but the model has .*200"
    ):
        generation.run(spec(limit=1), mine, humaneval, tmp_path / "g.jsonl")


@pytest.mark.parametrize(
    "change", [[], {"num_attention_heads": 0}, {"num_hidden_layers": "one"}, {"model_type": "x"}]
)
def test_a_configuration_that_is_none_is_one_line(change, mine):
    path = mine / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, **change} if change else []))
    with pytest.raises(UserError) as caught:
        load_weights(mine, torch.float32)
    assert str(mine) in str(caught.value) and "\n" not in str(caught.value)


def test_generation_settings_that_are_damaged_are_one_line(mine):
    """Passed over, the tokens that end an answer would be lost with them."""
    (mine / "generation_config.json").write_text("{")
    with pytest.raises(UserError, match="generation_config.json: not valid JSON"):
        load_weights(mine, torch.float32)
