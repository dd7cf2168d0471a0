"""What a run says of its cost while it runs."""

import json

import pytest
import torch
from lemur.cost.architecture import Architecture, parameters
from lemur.cost.flops import training_flops
from lemur.training.metrics import TIMING
from lemur.training.settings import parse
from lemur.training.stage import run
from lemur.training.throughput import SIDE, Meter, matrix_rate, model_flops_a_token, words
from tiny_training import settings, tiny_model
from transformers import AutoModelForCausalLM


def test_flops_are_the_plan_s(tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path / "model"))
    shape = Architecture(
        vocabulary=61, hidden=32, intermediate=48, layers=2, heads=4, kv_heads=2,
        tied_embeddings=True,
    )  # fmt: skip
    assert parameters(shape)["total"] == sum(p.numel() for p in model.parameters())
    assert model_flops_a_token(model, 16) == training_flops(shape, 1, 16)["total"]


def test_the_matrix_rate_is_that_of_a_product(monkeypatch):
    """A product that takes a known time gives the rate that follows from it."""
    import time

    monkeypatch.setattr(torch, "mm", lambda *_, **__: time.sleep(0.02))
    rate = matrix_rate(torch.device("cpu"), "fp32")
    assert rate == pytest.approx(2 * SIDE["cpu"] ** 3 / 0.02, rel=0.2)


def test_a_step_s_share_of_the_peak(monkeypatch):
    meter = Meter(parse(settings()), torch.device("cpu"), 1e6)
    meter.peak = 64e6 * 100
    meter.start()
    with meter.waiting():
        pass
    meter.began -= 0.5  # half a second ago
    made = meter.read()
    assert tuple(made) == TIMING
    assert made["tokens_per_second"] == pytest.approx(128, rel=0.1)
    assert made["mfu"] == pytest.approx(0.02, rel=0.1)
    assert 0 <= made["data_seconds"] < 0.1 < made["memory_mb"]
    assert words({**made, "data_seconds": 0.5}).endswith("GB, 2% of peak, data 0.50 s")


def test_every_line_has_them(tmp_path, model_folder, index, capsys):
    run(settings(), model_folder, index, tmp_path / "DONE.json")
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 12
    for line in lines:
        assert 0 < line["data_seconds"] < line["seconds"] and line["memory_mb"] > 50
        assert 0 <= line["mfu"] < 1.5
    assert "TFLOP/s reached by 1 rank(s) in a product of 1024 x 1024" in capsys.readouterr().err
