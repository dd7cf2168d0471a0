"""Decoding on a device that is no CPU: no pass takes tensors of two devices, whatever is shared."""

import pytest
from gpu import double
from lemur.inference import engine as engines
from lemur.inference.conversations import Conversations
from lemur.inference.engine import Engine, Wanted


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An engine whose model is on ``meta``, which stands for a GPU: it goes the way of other devices."""
    from made_words import save_words
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": 0}  # fmt: skip
    LlamaForCausalLM(LlamaConfig(**shape)).save_pretrained(tmp_path)
    save_words(tmp_path, 64)
    monkeypatch.setattr(
        engines, "choose_dtype", lambda precision, device: engines.DTYPES[precision]
    )
    made = Engine(tmp_path, "bf16", "meta")
    assert made.lean is None and made.model.device.type == "meta"
    return made


@pytest.mark.parametrize("shared", [False, True])
def test_generation_leaves_nothing_on_the_host(elsewhere, shared):
    prompts = [(5, 6, 7), (8, 9, 10, 11, 12), (3,)]
    with double.without_numbers(truth=False):
        prefix = elsewhere.prefix((1, 2, 3, 4)) if shared else None
        made = dict(elsewhere.generate([Wanted(prompt, 4) for prompt in prompts], 2, prefix))
    assert {n: one.finish for n, one in made.items()} == dict.fromkeys(range(3), "length")


def test_conversations_leave_nothing_on_the_host(elsewhere):
    ended = []
    with double.without_numbers(truth=False):
        talk = Conversations(elsewhere, 2)
        for number in range(3):
            talk.add(number, Wanted(tuple(range(1, 45)), 3))
        while talk.busy:
            ended += talk.step()
        talk.add(0, Wanted(tuple(range(1, 60)), 3))
        while talk.busy:
            ended += talk.step()
    assert [key for key, _ in ended] == [0, 1, 2, 0]


def test_scores_leave_nothing_on_the_host(elsewhere):
    with double.without_numbers(truth=False):
        assert elsewhere.logits(elsewhere.hidden([[1, 2, 3], [4]])).shape == (2, 3, 64)
