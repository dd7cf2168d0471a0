"""bf16 on a CPU without instructions for bfloat16 is computed in float32."""

import json

import pytest
import torch
from lemur.models import bfloat16
from lemur.training import precision
from lemur.training.stage import run
from safetensors.torch import load_file
from tiny_training import settings, timeless

CPU = torch.device("cpu")


def test_what_a_device_computes_in(monkeypatch):
    monkeypatch.setattr(bfloat16, "native", lambda device: device.type == "cuda")
    assert precision.choose_arithmetic("bf16", "torch", CPU) == "fp32"
    assert precision.choose_arithmetic("fp32", "torch", CPU) == "fp32"
    assert precision.choose_arithmetic("bf16", "deepspeed", CPU) == "bf16"
    assert precision.choose_arithmetic("bf16", "torch", torch.device("cuda")) == "bf16"
    assert precision.described("fp32", "torch", CPU) == "fp32"
    assert precision.described("bf16", "deepspeed", CPU) == "bf16"


def test_where_the_device_has_bfloat16_it_is_computed_in_it(
    tmp_path, model_folder, index, monkeypatch
):
    monkeypatch.setattr(bfloat16, "native", lambda device: True)
    run(settings(precision="bf16"), model_folder, index, tmp_path / "DONE.json")
    assert json.loads((tmp_path / "DONE.json").read_text())["computed"] == "bf16"
    assert "computed in" not in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.parametrize(
    ("machine", "has", "native"),
    [
        ("x86_64", (), False),
        ("x86_64", ("_is_avx512_bf16_supported",), True),
        ("x86_64", ("_is_amx_tile_supported",), True),
    ],
)
def test_which_cpu_has_bfloat16(monkeypatch, machine, has, native):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in has)
    monkeypatch.setattr(bfloat16.platform, "machine", lambda: machine)
    assert bfloat16.instructions() is native


def test_it_trains_as_float32_and_saves_bfloat16(
    tmp_path, model_folder, index, monkeypatch, capsys
):
    monkeypatch.setattr(bfloat16, "native", lambda device: False)
    run(settings(precision="bf16"), model_folder, index, tmp_path / "bf16" / "DONE.json")
    shown = capsys.readouterr().err
    assert "bf16 (in float32: this CPU has no instructions for bfloat16)" in shown
    assert "matrices, fp32: utilisation" in shown
    run(settings(precision="fp32"), model_folder, index, tmp_path / "fp32" / "DONE.json")
    half, whole = (tmp_path / name for name in ("bf16", "fp32"))
    assert timeless(half / "metrics.jsonl") == timeless(whole / "metrics.jsonl")
    facts, plain = (json.loads((at / "DONE.json").read_text()) for at in (half, whole))
    assert (facts["dtype"], facts["precision"], facts["computed"]) == ("bfloat16", "bf16", "fp32")
    assert (plain["dtype"], plain["precision"], plain["computed"]) == ("float32", "fp32", "fp32")
    card = (half / "model" / "README.md").read_text()
    assert "bf16 with float32 master weights, computed in fp32 (a CPU without bfloat16)" in card
    assert "computed in" not in (whole / "model" / "README.md").read_text()
    saved = [load_file(at / "model" / "model.safetensors") for at in (half, whole)]
    for name, tensor in saved[1].items():
        assert torch.equal(saved[0][name], tensor.to(torch.bfloat16))
