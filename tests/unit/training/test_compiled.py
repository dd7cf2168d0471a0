"""torch.compile: really compiled, the same losses, and one line where there is no compiler."""

import shutil

import pytest
import torch
from lemur.core.errors import UserError
from lemur.training import compiled
from lemur.training.settings import parse
from lemur.training.stage import run
from tiny_training import settings, timeless

COMPILER = any(shutil.which(name) for name in ("c++", "g++", "clang++"))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.skipif(not COMPILER, reason="compiler: no C++ compiler")
@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_layers_train_the_same(precision, recomputed, model_folder, index, tmp_path):
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    for name, value in (("plain", False), ("compiled", True)):
        spec = settings(
            compile=value, precision=precision, gradient_checkpointing=recomputed and value
        )
        run(spec, model_folder, index, tmp_path / name / "DONE.json")
    stats = torch._dynamo.utils.counters["stats"]
    assert stats["unique_graphs"] >= 2  # before and after attention
    assert stats["unique_graphs"] <= 8, "compiled again for other batches"
    one, two = (timeless(tmp_path / name / "metrics.jsonl") for name in ("plain", "compiled"))
    tolerance = 1e-5 if precision == "fp32" else 5e-3
    assert [x["loss"] for x in one] == pytest.approx([x["loss"] for x in two], rel=tolerance)


def test_no_compiler_is_one_line(monkeypatch):
    monkeypatch.setattr(compiled.shutil, "which", lambda name: None)
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(UserError) as caught:
        compiled.check_compiler(parse(settings(compile=True)))
    assert str(caught.value).startswith("pretrain.compile: true needs a compiler and c++ or g++")


def test_zero_3_is_refused():
    spec = settings(
        compile=True,
        engine="deepspeed",
        parallel__zero_stage=3,
        parallel__processes_per_node=2,
    )
    with pytest.raises(UserError, match=r"pretrain\.compile: true does not go with"):
        parse(spec)
