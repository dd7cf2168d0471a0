"""The chunked cross-entropy is the plain one, in value and in both gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lemur.train import loss
from torch.nn import functional


@hypothesis_settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 40),
    vocabulary=st.integers(2, 50),
    chunk=st.sampled_from([1, 64, 1 << 20]),
    block=st.sampled_from([1, 33, 1 << 20]),
    asked=st.floats(0, 1),
    scale=st.floats(0.25, 4),
)
def test_equals_torch(rows, vocabulary, chunk, block, asked, scale):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss, "CHUNK", chunk)
        patch.setattr(loss, "BLOCK", block)
        generator = torch.Generator().manual_seed(rows * 100 + vocabulary)
        hidden = torch.randn(rows, 6, generator=generator, requires_grad=True)
        weight = torch.randn(vocabulary, 6, generator=generator, requires_grad=True)
        labels = torch.randint(0, vocabulary, (rows,), generator=generator)
        labels[torch.rand(rows, generator=generator) > asked] = -100
        got = loss.cross_entropy_sum(hidden, weight, labels)
        grads = torch.autograd.grad(got * scale, (hidden, weight))
        wanted = functional.cross_entropy(
            hidden.double() @ weight.double().t(), labels, ignore_index=-100, reduction="sum"
        )
        if not (labels != -100).any():
            assert got == 0 and not grads[0].any() and not grads[1].any()
            return
        expected = torch.autograd.grad(wanted * scale, (hidden, weight))
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
