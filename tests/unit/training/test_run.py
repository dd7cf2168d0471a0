"""A stage from files to files: what it writes, and what it refuses before any training."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from lemur.chat.chatml import END, START
from lemur.core.errors import UserError
from lemur.tokenization.packed import PackedDataset
from lemur.training import kept, trainer
from lemur.training.settings import parse
from lemur.training.stage import run
from safetensors.torch import load_file
from tiny_training import (
    SCRIPT,
    VOCABULARY,
    launch,
    mixed_lengths,
    packed,
    settings,
    timeless,
    tiny_model,
)
from transformers import AutoModelForCausalLM, AutoTokenizer


@pytest.fixture
def no_training(monkeypatch):
    def fail(*_):
        raise AssertionError("training began")

    monkeypatch.setattr(trainer, "train", fail)


def refused(spec, model, index, tmp_path) -> str:
    with pytest.raises(UserError) as caught:
        run(spec, model, index, tmp_path / "out" / "DONE.json")
    said = str(caught.value)
    assert "\n" not in said
    assert not (tmp_path / "out" / "model").exists()
    return said


def test_a_vocabulary_larger_than_the_model(no_training, tmp_path, index):
    small = tiny_model(tmp_path / "small", vocab_size=VOCABULARY - 1)
    said = refused(settings(), small, index, tmp_path)
    assert said.startswith("pretrain.vocabulary:") and "61 tokens" in said and "60" in said


def test_a_context_longer_than_the_model(no_training, tmp_path):
    index = packed(tmp_path / "data", [[128]] * 4, 128)
    model = tiny_model(tmp_path / "model")  # 64 positions
    spec = settings(context=128, global_batch_tokens=256, tokens=256)
    said = refused(spec, model, index, tmp_path)
    assert said.startswith("pretrain.context: 128 is longer than the 64 positions")


def test_data_packed_for_another_context(no_training, tmp_path, model_folder, index):
    said = refused(settings(context=8), model_folder, index, tmp_path)
    assert said.startswith("pretrain.context: 8, but") and "packed with 16" in said


def test_no_model_no_data_no_gpu(no_training, tmp_path, model_folder, index):
    assert "no model here" in refused(settings(), tmp_path, index, tmp_path)
    assert "no such file" in refused(settings(), model_folder, tmp_path / "none.json", tmp_path)
    spec = settings(parallel__device="cuda")
    if not torch.cuda.is_available():
        said = refused(spec, model_folder, index, tmp_path)
        assert said == "pretrain.parallel.device: cuda, but no GPU is visible"


def test_a_folder_that_is_not_a_whole_model(no_training, tmp_path, index):
    """Left to transformers, missing layers would be random and a damaged file a traceback."""

    def said(change):
        folder = tiny_model(tmp_path / "changed")
        config = json.loads((folder / "config.json").read_text())
        change(folder, config)
        if config:
            (folder / "config.json").write_text(json.dumps(config))
        text = refused(settings(), folder, index, tmp_path)
        assert text.startswith(f"base: {folder}"), text
        shutil.rmtree(folder)
        return text

    def cut(folder, config):
        (folder / "config.json").write_text("{")
        config.clear()

    assert "'model.layers.2." in said(lambda _, config: config.update(num_hidden_layers=3))
    assert "another shape" in said(lambda _, config: config.update(intermediate_size=64))
    assert "model type `lama`" in said(lambda _, config: config.update(model_type="lama"))
    assert "config.json" in said(cut)
    assert "model.safetensors" in said(lambda at, _: (at / "model.safetensors").unlink())
    assert "header" in said(lambda at, _: (at / "model.safetensors").write_bytes(b"xx"))
    assert "no tokenizer.json" in said(lambda at, _: (at / "tokenizer.json").unlink())


def test_a_token_file_that_is_gone(no_training, tmp_path, model_folder):
    index = packed(tmp_path / "data", [[16]] * 4, 16)
    (index.parent / "part.bin").unlink()
    said = refused(settings(), model_folder, index, tmp_path)
    assert said.startswith(f"{index.parent / 'part.bin'}: no such token file; {index} points")


def test_kernels_that_are_not_there_and_a_finished_run_that_stays(
    no_training, tmp_path, model_folder, index
):
    done = tmp_path / "out" / "DONE.json"
    done.parent.mkdir()
    done.write_text("{}")
    said = refused(settings(attention="flash"), model_folder, index, tmp_path)
    assert said.startswith("pretrain.attention: flash needs the package flash-attn")
    assert done.read_text() == "{}"


LOADED_ELSEWHERE = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
for folder in sys.argv[1:]:
    model, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values()), report
    assert type(model).__name__ == "LlamaForCausalLM" and model.config.dtype == model.dtype
    tokenizer = AutoTokenizer.from_pretrained(folder)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert tokenizer.eos_token_id == end == 62, end
    assert model.generation_config.eos_token_id == [0, 62], model.generation_config
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer) == 63
    said = [{"role": "user", "content": "w3"}]
    prompt = tokenizer.apply_chat_template(said, add_generation_prompt=True, return_tensors="pt")
    text = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>user\\nw3<|im_end|>\\n<|im_start|>assistant\\n", text
    made = model.generate(**prompt, max_new_tokens=3, do_sample=False)
    assert made.shape[1] > prompt["input_ids"].shape[1]
assert not any(name.partition(".")[0] == "lemur" for name in sys.modules)
"""


def test_transformers_loads_what_is_saved_without_our_code(tmp_path):
    """All weights and LoRA merged: every key known, none missing; tokenizer, template, stop tokens."""
    model = tiny_model(tmp_path / "model", tie_word_embeddings=False)
    index = packed(tmp_path / "data", mixed_lengths(8, 16), 16, masked=True)
    folders = []
    for name, lora in (("full", None), ("lora", {"rank": 2, "alpha": 4})):
        done = tmp_path / name / "DONE.json"
        spec = settings(stage="sft", tokens=64, vocabulary="chatml", lora=lora, precision="bf16")
        run(spec, model, index, done)
        folders.append(str(done.parent / "model"))
        assert not [path for path in done.parent.glob("model/*") if path.suffix in (".py", ".bin")]
        assert "auto_map" not in (done.parent / "model/config.json").read_text()
    # -I: neither PYTHONPATH nor the folder at hand
    command = [sys.executable, "-I", "-c", LOADED_ELSEWHERE, *folders]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_command_says_a_mistake_in_one_line(tmp_path, model_folder, index):
    done = tmp_path / "DONE.json"
    result = launch(settings(context=8), model_folder, index, done)
    assert result.returncode == 2
    assert result.stderr.startswith("error: pretrain.context: 8") and result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_help_is_enough_to_train(tmp_path, model_folder, index):
    """Its example, with the numbers of the tiny data, is a run."""
    command = [sys.executable, str(SCRIPT["pretrain"]), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    spec, _ = json.JSONDecoder().raw_decode(shown[shown.index('{"stage"') :])
    parse(spec)
    for key in ("optimizer", "schedule", "parallel", "checkpoint"):
        assert f"\n  {key} {{" in shown
    small = {"context": 16, "tokens": 128, "global_batch_tokens": 64, "threads": 1}
    run({**spec, **small}, model_folder, index, tmp_path / "DONE.json")
    assert json.loads((tmp_path / "DONE.json").read_text())["steps"] == 2


def test_what_a_run_writes(tmp_path, index):
    base = tmp_path / "base"
    model = tiny_model(base / "model")
    described = {"description": "a tiny test model", "kind": "random", "licence": "MIT"}
    (base / "DONE.json").write_text(json.dumps({**described, "files": {}}))
    done = tmp_path / "out" / "DONE.json"
    run(settings(precision="bf16"), model, index, done)
    facts = json.loads(done.read_text())
    assert facts["steps"] == 12 and facts["tokens"] == 768 and facts["engine"] == "torch"
    assert facts["parameters"] == sum(
        p.numel() for p in AutoModelForCausalLM.from_pretrained(model).parameters()
    )
    assert facts["precision"] == "bf16" and facts["dtype"] == "bfloat16"
    assert facts["licence"] == "MIT" and "a tiny test model" in facts["description"]
    folder = done.parent / "model"
    assert sorted(facts["files"]) == sorted(path.name for path in folder.iterdir())
    assert (folder / "tokenizer.json").read_bytes() == (model / "tokenizer.json").read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert config["dtype"] == "bfloat16" and "_attn_implementation" not in config
    card = (folder / "README.md").read_text()
    assert "license: mit" in card and "a tiny test model" in card and "768 in 12 steps" in card
    assert str(tmp_path) not in card + json.dumps(config) + done.read_text()
    loaded, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    assert loaded.dtype == torch.bfloat16
    losses = [line["loss"] for line in timeless(done.parent / "metrics.jsonl")]
    assert losses[0] == pytest.approx(np.log(VOCABULARY), rel=0.02)  # random weights guess
    assert losses[-1] < 0.85 * losses[0]  # and learn


def test_fine_tuning_adds_what_the_base_lacks(tmp_path):
    """Markers, their embeddings, the template, the stop token; the loss counts masked-in labels."""
    model = tiny_model(tmp_path / "model", tie_word_embeddings=False)
    index = packed(tmp_path / "data", mixed_lengths(8, 16), 16, masked=True)
    done = tmp_path / "out" / "DONE.json"
    spec = settings(
        stage="sft",
        tokens=None,
        epochs=2.0,
        vocabulary="chatml",
        optimizer__learning_rate=1e-12,
        optimizer__weight_decay=0.0,
    )
    run(spec, model, index, done)
    assert json.loads(done.read_text())["steps"] == 4
    folder = done.parent / "model"
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    base = AutoModelForCausalLM.from_pretrained(model)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer.convert_tokens_to_ids([START, END])
    assert ids == [VOCABULARY, VOCABULARY + 1]
    for one, other in (
        (loaded.get_input_embeddings(), base.get_input_embeddings()),
        (loaded.get_output_embeddings(), base.get_output_embeddings()),
    ):
        assert one.weight.shape[0] == VOCABULARY + 2
        torch.testing.assert_close(one.weight[:VOCABULARY], other.weight)
        mean = other.weight.mean(0)
        torch.testing.assert_close(one.weight[VOCABULARY:], torch.stack([mean, mean]))
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "w3"}], tokenize=False, add_generation_prompt=True
    )
    assert text == "<|im_start|>user\nw3<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.eos_token == END
    assert loaded.generation_config.eos_token_id == [0, VOCABULARY + 1]
    # the reported loss is the mean over the labels that the mask lets in
    data = PackedDataset(index)
    total = count = 0
    for number in range(len(data)):
        item = data[number]
        for document in range(item["segment_ids"].max() + 1):
            where = item["segment_ids"] == document
            logits = loaded(torch.from_numpy(item["input_ids"][where])[None]).logits[0]
            labels = torch.from_numpy(item["labels"][where])
            if (labels != -100).any():
                total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            count += int((labels != -100).sum())
    assert 0 < count < 8 * 15  # half of the labels are masked out
    lines = timeless(done.parent / "metrics.jsonl")
    assert np.mean([line["loss"] for line in lines[:2]]) == pytest.approx(total / count, rel=0.05)


def test_a_base_with_the_markers_keeps_its_tokenizer(tmp_path):
    from tokenizers import AddedToken, Tokenizer

    model = tiny_model(tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    words = json.loads(tokenizer.to_str())
    for number, marker in ((1, START), (2, END)):
        del words["model"]["vocab"][f"w{number}"]
        words["model"]["vocab"][marker] = number
    tokenizer = Tokenizer.from_str(json.dumps(words))
    tokenizer.add_special_tokens([AddedToken(START, special=True), AddedToken(END, special=True)])
    tokenizer.save(str(model / "tokenizer.json"))
    index = packed(tmp_path / "data", mixed_lengths(8, 16), 16, masked=True)
    done = tmp_path / "out" / "DONE.json"
    run(settings(stage="sft", tokens=64, vocabulary="chatml"), model, index, done)
    made = done.parent / "model"
    assert (made / "tokenizer.json").read_bytes() == (model / "tokenizer.json").read_bytes()
    assert AutoModelForCausalLM.from_pretrained(made).config.vocab_size == VOCABULARY
    assert AutoTokenizer.from_pretrained(made).eos_token_id == 2


@pytest.mark.parametrize(
    "change",
    [{"micro_batch_sequences": 4}, {"attention": "sdpa"}, {"gradient_checkpointing": True}],
    ids=str,
)
def test_how_it_is_computed_does_not_matter(change, tmp_path, model_folder, index):
    """Other micro-batches, attention kernels and recomputation: the same losses in float32."""
    losses = []
    for name, changes in (("plain", {}), ("changed", change)):
        done = tmp_path / name / "DONE.json"
        run(settings(**changes), model_folder, index, done)
        losses.append([line["loss"] for line in timeless(done.parent / "metrics.jsonl")])
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_a_model_that_does_not_let_its_attention_be_replaced(tmp_path, index):
    from transformers import BloomConfig, BloomForCausalLM

    folder = tiny_model(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    config = BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=1, n_head=2)
    BloomForCausalLM(config).save_pretrained(folder)
    said = refused(settings(), folder, index, tmp_path)
    assert "'bloom'" in said and said.startswith("base:")


def test_the_model_of_an_earlier_step_is_the_one_that_was_trained_then(tmp_path, index):
    """Kept after step 4 of 12: what a run that is stopped there has, with the rate not lowered yet."""
    model = tiny_model(tmp_path / "base" / "model")
    schedule = {"name": "constant", "warmup": 0.0, "final": 0.0}
    whole = settings(schedule=schedule)
    done = tmp_path / "out" / "DONE.json"
    run({**whole, "checkpoint": {**whole["checkpoint"], "keep_at": [4]}}, model, index, done)
    kept.write(4, done, tmp_path / "early" / "DONE.json")
    facts = json.loads((tmp_path / "early" / "DONE.json").read_text())
    assert (
        facts["steps"] == 4
        and facts["tokens"] == 256
        and "after step 4 of 12" in facts["description"]
    )
    short = tmp_path / "short" / "DONE.json"
    run(settings(schedule=schedule, tokens=256), model, index, short)
    both = [
        load_file(path.parent / "model" / "model.safetensors")
        for path in (short, tmp_path / "early" / "x")
    ]
    assert all(torch.equal(both[0][name], both[1][name]) for name in both[0] | both[1])
    with pytest.raises(UserError, match="no checkpoint after step 5 was kept"):
        kept.write(5, done, tmp_path / "none" / "DONE.json")
