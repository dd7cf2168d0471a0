"""Other families than Llama train, or are refused with a reason; and `auto` without a recipe."""

import json

import pytest
import torch
from lemur.core.errors import UserError
from lemur.training import auto_micro_batch
from lemur.training.stage import run
from tiny_training import VOCABULARY, settings, timeless, tiny_model
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    MambaConfig,
    MistralConfig,
    Qwen2Config,
    Qwen3Config,
)

SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def model_of(config, folder):
    """A random model of a family, with the tokenizer of ``tiny_model``."""
    tiny_model(folder)
    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    "config",
    [
        Qwen2Config(**SHAPE),
        Qwen3Config(**SHAPE, head_dim=8),
        MistralConfig(**SHAPE, sliding_window=None),
        GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64,
                   resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0),
    ],
    ids=lambda config: config.model_type,
)  # fmt: skip
def test_families_that_train(config, tmp_path, index):
    done = tmp_path / "out" / "DONE.json"
    run(settings(), model_of(config, tmp_path / "model"), index, done)
    losses = [line["loss"] for line in timeless(done.parent / "metrics.jsonl")]
    assert losses[-1] < losses[0] - 0.1
    assert AutoModelForCausalLM.from_pretrained(done.parent / "model").config.model_type


@pytest.mark.parametrize(
    "config",
    [
        MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4),
        MistralConfig(**SHAPE, sliding_window=8),
    ],
    ids=["state space", "sliding window"],
)
def test_families_that_are_refused(config, tmp_path, index):
    done = tmp_path / "out" / "DONE.json"
    with pytest.raises(UserError, match="^base: ") as caught:
        run(settings(), model_of(config, tmp_path / "model"), index, done)
    assert "\n" not in str(caught.value) and not done.exists()


def test_auto_without_a_recipe(tmp_path, index, monkeypatch):
    model = tiny_model(tmp_path / "model")
    asked = settings(micro_batch_sequences="auto")
    assert auto_micro_batch.resolved(asked, model)["micro_batch_sequences"] == 4  # all of a step
    monkeypatch.setattr(
        auto_micro_batch.psutil, "virtual_memory", lambda: type("M", (), {"available": 0})()
    )
    assert auto_micro_batch.resolved(asked, model)["micro_batch_sequences"] == 1
    run(asked, model, index, tmp_path / "out" / "DONE.json")
    assert json.loads((tmp_path / "out" / "DONE.json").read_text())["steps"] == 12
