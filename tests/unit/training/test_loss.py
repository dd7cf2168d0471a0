"""The chunked cross-entropy is the plain one, in value and in both gradients."""

import importlib.util

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.training import loss
from torch.nn import functional


@hypothesis_settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 40),
    vocabulary=st.integers(2, 50),
    chunk=st.sampled_from([1, 64, 1 << 20]),
    block=st.sampled_from([1, 33, 1 << 20]),
    asked=st.floats(0, 1),
    scale=st.floats(0.25, 4),
    z_loss=st.sampled_from([0.0, 0.01]),
)
def test_equals_torch(rows, vocabulary, chunk, block, asked, scale, z_loss):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss, "CHUNK", chunk)
        patch.setattr(loss, "BLOCK", block)
        generator = torch.Generator().manual_seed(rows * 100 + vocabulary)
        hidden = torch.randn(rows, 6, generator=generator, requires_grad=True)
        weight = torch.randn(vocabulary, 6, generator=generator, requires_grad=True)
        labels = torch.randint(0, vocabulary, (rows,), generator=generator)
        labels[torch.rand(rows, generator=generator) > asked] = -100
        got = loss.cross_entropy_sum(hidden, weight, labels, z_loss)
        grads = torch.autograd.grad(got * scale, (hidden, weight))
        logits = hidden.double() @ weight.double().t()
        wanted = functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
        squares = logits.logsumexp(-1)[labels != -100].square().sum()
        if not (labels != -100).any():
            assert got == 0 and not grads[0].any() and not grads[1].any()
            return
        expected = torch.autograd.grad((wanted + z_loss * squares) * scale, (hidden, weight))
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)
    for one, other in zip(grads, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_bfloat16_is_close_to_float32():
    torch.manual_seed(0)
    hidden, weight = torch.randn(300, 32), torch.randn(500, 32)
    labels = torch.randint(0, 500, (300,))
    exact = loss.cross_entropy_sum(hidden, weight, labels)
    rough = loss.cross_entropy_sum(hidden.bfloat16(), weight.bfloat16(), labels)
    assert abs(rough - exact) / exact < 5e-3


def test_what_auto_takes(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    found = {"liger_kernel": None}
    monkeypatch.setattr(loss.importlib.util, "find_spec", lambda name: found.get(name))
    assert loss.choose("auto", cuda) == loss.choose("chunked", cuda) == "chunked"
    assert loss.choose("liger", cpu) == "chunked"
    with pytest.raises(UserError, match="cross_entropy: liger needs the package liger-kernel"):
        loss.choose("liger", cuda)
    found["liger_kernel"] = True
    assert loss.choose("auto", cuda) == loss.choose("liger", cuda) == "liger"
    assert loss.choose("auto", cpu) == loss.choose("chunked", cuda) == "chunked"


LIGER = importlib.util.find_spec("liger_kernel") is not None and torch.cuda.is_available()


@pytest.mark.skipif(not LIGER, reason="gpu: liger-kernel and a GPU to run it on")
@pytest.mark.parametrize("z_loss", [0.0, 0.01])
def test_liger_is_the_same_function(z_loss):
    torch.manual_seed(0)
    hidden = torch.randn(300, 64, device="cuda", requires_grad=True)
    weight = torch.randn(500, 64, device="cuda", requires_grad=True)
    labels = torch.randint(0, 500, (300,), device="cuda")
    labels[7] = -100
    made = [
        loss.cross_entropy_sum(hidden, weight, labels, z_loss, kernel)
        for kernel in ("chunked", "liger")
    ]
    grads = [torch.autograd.grad(value * 0.5, (hidden, weight)) for value in made]
    torch.testing.assert_close(made[0], made[1], rtol=1e-4, atol=1e-2)
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
