"""LoRA: what is trained, how it ends, and that a killed run ends the same."""

import json
from pathlib import Path

import pytest
import torch
from lemur.core.errors import UserError
from lemur.training import trainer
from lemur.training.model import load
from lemur.training.settings import parse
from lemur.training.stage import run
from peft import PeftModel
from safetensors.torch import load_file
from tiny_training import packed, settings, timeless, tiny_model
from transformers import AutoModelForCausalLM

LORA = {"rank": 4, "alpha": 8, "dropout": 0.1}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("model", "adapter")
        for path in sorted((folder / part).iterdir())
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory, model_folder, index):
    out = tmp_path_factory.mktemp("lora") / "DONE.json"
    run(settings(lora=LORA), model_folder, index, out)
    return out


def test_only_adapters_are_trained_and_they_learn(done, model_folder):
    said = json.loads(done.read_text())
    layers = 2 * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 48))  # q, o; k, v; the three of an MLP
    assert said["trained_parameters"] == 4 * layers
    assert said["parameters"] == 17_472
    losses = [line["loss"] for line in timeless(done.parent / "metrics.jsonl")]
    assert losses[-1] < losses[0] - 0.05
    start, end = (load_file(f / "model.safetensors") for f in (model_folder, done.parent / "model"))
    assert start.keys() == end.keys()
    changed = {name for name in start if not torch.equal(start[name], end[name])}
    assert changed == {name for name in start if "proj" in name}
    assert "LoRA, merged into the weights: rank 4" in (done.parent / "model/README.md").read_text()


def test_the_merged_model_is_the_base_with_its_adapter(done, model_folder, tmp_path):
    """peft loads the adapter onto the base, transformers the merged folder: the same logits."""
    merged = AutoModelForCausalLM.from_pretrained(done.parent / "model").eval()
    base = AutoModelForCausalLM.from_pretrained(model_folder)
    both = PeftModel.from_pretrained(base, done.parent / "adapter").eval()
    ids = torch.arange(1, 20)[None]
    torch.testing.assert_close(merged(ids).logits, both(ids).logits, rtol=1e-4, atol=1e-5)
    both.save_pretrained(tmp_path)  # as the library writes what it has read
    written, ours = (f / "adapter_model.safetensors" for f in (tmp_path, done.parent / "adapter"))
    assert ours.read_bytes() == written.read_bytes()
    config = json.loads((done.parent / "adapter/adapter_config.json").read_text())
    theirs = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config.keys() == theirs.keys() and config["inference_mode"] is True
    assert config["target_modules"] == sorted(config["target_modules"])
    assert str(done.parent) not in json.dumps(config)


def merged_by_weight(spec, base: Path, folder: Path, out: Path) -> dict[str, torch.Tensor]:
    """The published weights as ranks read them, each alone, from the base and ``folder``'s adapter."""
    from lemur.training.lora import Merging

    adapter = load_file(folder / "adapter" / "adapter_model.safetensors")
    merging = Merging(
        base,
        parse(spec),
        lambda name: adapter[f"base_model.model.{name.replace('.default', '')}"],
    )
    named = json.loads((folder / "adapter" / "adapter_config.json").read_text())
    merging.save_adapter(out, named["base_model_name_or_path"])
    for p in merging.wrapped.parameters():
        assert p.is_meta
    return {name: merging.tensor(name) for name in merging.shapes}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("vocabulary", ["keep", "chatml"])
def test_merged_weight_by_weight_it_is_the_same_model(tied, vocabulary, tmp_path, index):
    """What ranks of which none holds the model publish, bit for bit, and the adapter's files."""
    base = tiny_model(tmp_path / "model", tie_word_embeddings=tied)
    stage = "sft" if vocabulary == "chatml" else "pretrain"
    spec = settings(lora=LORA, stage=stage, vocabulary=vocabulary, tokens=64)
    run(spec, base, index, tmp_path / "out" / "DONE.json")
    made = merged_by_weight(spec, base, tmp_path / "out", tmp_path / "adapter")
    expected = load_file(tmp_path / "out" / "model" / "model.safetensors")
    assert made.keys() == expected.keys()
    assert all(torch.equal(made[name], expected[name]) for name in made)
    for path in (tmp_path / "out" / "adapter").iterdir():
        assert path.read_bytes() == (tmp_path / "adapter" / path.name).read_bytes(), path.name


def test_an_interrupted_run_ends_in_the_same_bytes(
    done, model_folder, index, tmp_path, monkeypatch
):
    """Dropout too draws from the step alone."""
    update = trainer._update

    def dying(job, step, rate):
        if step == 7:
            raise KeyboardInterrupt
        return update(job, step, rate)

    monkeypatch.setattr(trainer, "_update", dying)
    again = tmp_path / "DONE.json"
    with pytest.raises(KeyboardInterrupt):
        run(settings(lora=LORA), model_folder, index, again)
    kept = next(tmp_path.glob("checkpoints/*/step-6"))
    names = load_file(kept / "parameters.safetensors").keys()
    assert names and all("lora_" in name for name in names)
    monkeypatch.setattr(trainer, "_update", update)
    run(settings(lora=LORA), model_folder, index, again)
    assert files(tmp_path) == files(done.parent)
    assert timeless(tmp_path / "metrics.jsonl") == timeless(done.parent / "metrics.jsonl")


def test_new_markers_are_learned(tmp_path):
    """Frozen at their mean the two markers would stay equal."""
    model, index = tiny_model(tmp_path / "model"), packed(tmp_path / "data", [[16]] * 8, 16)
    out = tmp_path / "out" / "DONE.json"
    run(settings(lora=LORA, stage="sft", vocabulary="chatml", precision="bf16"), model, index, out)
    table = load_file(out.parent / "model/model.safetensors")["model.embed_tokens.weight"]
    assert len(table) == 63
    start = load_file(model / "model.safetensors")["model.embed_tokens.weight"].bfloat16()
    assert not torch.equal(table[:61], start)
    whole = AutoModelForCausalLM.from_pretrained(out.parent / "model", dtype=torch.float32).eval()
    base = AutoModelForCausalLM.from_pretrained(model)
    base.resize_token_embeddings(63, mean_resizing=False)
    both = PeftModel.from_pretrained(base, out.parent / "adapter").eval()
    ids = torch.arange(1, 20)[None]
    torch.testing.assert_close(whole(ids).logits, both(ids).logits, rtol=0.05, atol=0.02)


def test_a_layer_that_does_not_exist_is_named(model_folder, index):
    from lemur.tokenization.packed import PackedDataset
    from lemur.training import lora

    spec = parse(settings(lora={**LORA, "targets": ["q_prj"]}))
    with pytest.raises(UserError, match=r"^pretrain\.lora\.targets: .*q_prj") as caught:
        lora.wrap(load(model_folder, spec, PackedDataset(index)), spec, 0)
    assert "\n" not in str(caught.value)
