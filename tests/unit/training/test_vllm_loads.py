"""vLLM loads saved models without our code, and continues prompts as transformers does."""

import pytest
import torch
from lemur.core.provenance import ROOT
from lemur.training.stage import run
from real_vllm import answered
from tiny_training import mixed_lengths, packed, settings, tiny_model
from transformers import AutoModelForCausalLM, AutoTokenizer

BASE = ROOT / "resources" / "models" / "smollm2-135m-instruct-q4" / "model"
TEXTS = ("The capital of France is", "def fibonacci(n):\n", "Once upon a time", "SELECT name FROM")


def greedy(folder, prompts, new):
    """Token ids that transformers gives to each prompt (lists of ids), in float32."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    made = []
    for ids in prompts:
        tokens = torch.tensor([ids])
        mask = torch.ones_like(tokens)
        whole = model.generate(tokens, attention_mask=mask, max_new_tokens=new, do_sample=False)
        made.append(whole[0, len(ids) :].tolist())
    return made


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_vllm_continues_trained_models_as_transformers_does(tmp_path):
    """All weights and LoRA merged, end tokens of their generation settings included."""
    # vLLM's attention on CPUs has no heads of fewer than 32 numbers.
    model = tiny_model(tmp_path / "model", tie_word_embeddings=False, hidden_size=128)
    index = packed(tmp_path / "data", mixed_lengths(8, 16), 16, masked=True)
    prompts = [[number, number + 2, number + 3] for number in range(1, 49, 6)]
    asked, expected = [], []
    for name, lora in (("full", None), ("lora", {"rank": 2, "alpha": 4})):
        done = tmp_path / name / "DONE.json"
        spec = settings(stage="sft", tokens=64, vocabulary="chatml", lora=lora, precision="fp32")
        run(spec, model, index, done)
        folder = done.parent / "model"
        asked.append({"folder": str(folder), "prompts": prompts, "new": 24})
        expected.append(greedy(folder, prompts, 24))
    assert expected[0] != expected[1] and len({tuple(one) for one in expected[0]}) > 1
    assert answered("vllm_plain.py", asked, tmp_path, "-I") == expected


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_vllm_continues_a_real_base_as_transformers_does(tmp_path):
    if not (BASE.parent / "DONE.json").exists():
        pytest.skip("network: the base model of recipe mini is not here (make fetch)")
    tokenizer = AutoTokenizer.from_pretrained(BASE)
    prompts = [tokenizer.encode(text) for text in TEXTS]
    asked = [{"folder": str(BASE), "prompts": prompts, "new": 48}]
    assert answered("vllm_plain.py", asked, tmp_path, "-I") == [greedy(BASE, prompts, 48)]
