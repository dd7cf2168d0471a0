"""The next token, from scores."""

import pytest
import torch
from lemur.core.errors import UserError
from lemur.inference import next_token
from lemur.inference.engine import Engine, Wanted
from transformers import AutoModelForCausalLM, AutoTokenizer


def test_the_first_of_the_highest():
    assert next_token.best(torch.tensor([[1.0, 3.0, 3.0], [0.0, -1.0, -2.0]])) == [1, 0]
    assert next_token.best(torch.tensor([[float("-inf"), float("inf"), 0.0]])) == [1]


@pytest.mark.parametrize("at", [0, 2])
def test_what_is_no_number_is_no_token(at):
    scores = torch.zeros(2, 3)
    scores[1, at] = float("nan")
    with pytest.raises(UserError, match="not numbers"):
        next_token.best(scores)


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_damaged_model_generates_nothing(folder, tmp_path, temperature):
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.model.layers[-1].mlp.down_proj.weight.data[0, 0] = float("nan")
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    engine = Engine(tmp_path, "fp32", "cpu")
    with pytest.raises(UserError, match="weights are damaged"):
        list(engine.generate([Wanted((5, 6, 7), 4, temperature=temperature)], 1))
