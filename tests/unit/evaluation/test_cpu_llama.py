"""The lean forward pass is transformers' own computation, and guesses change no token."""

import shutil

import pytest
import torch
from lemur.inference import cpu_llama
from lemur.inference.engine import Engine, Wanted
from lemur.inference.speculative import MOST
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

SMALL = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.2,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}

NEW = 90  # tokens
PROMPTS = [(9, 20, 31) * 6, (9, 20, 31) * 4 + (5, 6, 7, 8) * 3, (9, 20, 31) * 3 + (40, 41)]


def made(**changes):
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(**{**SMALL, **changes})).eval()
    for weight in model.parameters():  # norms and biases begin as ones and zeros
        if weight.dim() == 1:
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    return model


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tie_word_embeddings": True},
        {"attention_bias": True, "mlp_bias": True},
        {"rope_parameters": LLAMA3},
        {"num_key_value_heads": 6},
        {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32},
    ],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.bfloat16, 0.08)])
@torch.inference_mode()
def test_scores_are_those_of_transformers(changes, dtype, tolerance):
    model = made(**changes).to(dtype)
    ids = torch.randint(0, 97, (3, 20))
    positions = torch.arange(20).expand(3, -1)
    expected = model(input_ids=ids, position_ids=positions).logits.float()
    one = cpu_llama.build(model)
    scores = one.head(one(ids, positions, None).flatten(0, 1)).float().view(3, 20, -1)
    assert (scores - expected).abs().max() < tolerance * expected.abs().max()


def test_no_weight_is_held_twice():
    model = made()
    cpu_llama.build(model)
    left = sum(weight.numel() for weight in model.model.layers.parameters())
    assert left == 0


def test_other_models_keep_transformers_own_pass():
    other = Qwen2ForCausalLM(Qwen2Config(**{**SMALL, "num_hidden_layers": 1}))
    assert cpu_llama.build(other) is None
    assert cpu_llama.build(made(hidden_act="gelu")) is None


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def repeating(request, folder, tmp_path_factory):
    """A model that mostly looks at its last token, and so says the same again before long. Qwen2's
    has no lean form."""
    made = tmp_path_factory.mktemp(request.param) / "model"
    shutil.copytree(folder, made)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if request.param == "qwen2":
        like = model.config.to_dict() | {"model_type": "qwen2", "architectures": None}
        torch.manual_seed(5)
        # Its tokenizer class adds an end of text of its own.
        like["vocab_size"] += 4
        model = Qwen2ForCausalLM(Qwen2Config.from_dict(like))
    for layer in model.model.layers:
        layer.self_attn.o_proj.weight.data *= 0.05
        layer.mlp.down_proj.weight.data *= 0.05
    model.save_pretrained(made)
    return made, [alone(model.eval(), prompt) for prompt in PROMPTS]


def alone(model, prompt):
    """transformers' greedy continuation by NEW tokens."""
    given = torch.tensor([prompt])
    asked = {"max_new_tokens": NEW, "min_new_tokens": NEW, "do_sample": False, "eos_token_id": []}
    mask = torch.ones_like(given)
    out = model.generate(input_ids=given, attention_mask=mask, pad_token_id=0, **asked)
    return tuple(out[0, len(prompt) :].tolist())


@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("shared", [0, 8])
def test_tokens_of_a_text_that_repeats(repeating, batch, shared):
    """Where guesses hold: fewer passes, the tokens of transformers."""
    made, expected = repeating
    engine = Engine(made, "fp32", "cpu")
    assert (engine.lean is None) == (engine.model.config.model_type == "qwen2")
    rows = []
    step = engine.step
    engine.step = lambda live, slots: rows.append(step(live, slots)) or rows[-1]
    engine.stop_ids = frozenset()
    prefix = engine.prefix(PROMPTS[0][:shared]) if shared else None
    wanted = [Wanted(prompt[shared:], NEW) for prompt in PROMPTS]
    result = dict(engine.generate(wanted, batch, prefix))
    assert [result[number].ids for number in range(len(PROMPTS))] == expected
    held = [len(tokens) - 1 for row in rows for tokens in row]
    assert sum(held) > NEW, "hardly a guess held: this test shows nothing"
    assert any(0 < tokens < MOST for tokens in held), "no guess was refused in part"
