"""Packed documents get exactly what each would get alone, on every path."""

import sys
import types

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.training import attention
from lemur.training.batches import Batch
from lemur.training.blocked_attention import blocked_attention, blocks
from lemur.training.model import PackedLoss
from tiny_training import VOCABULARY, tiny_model
from torch.nn import functional
from transformers import AutoModelForCausalLM

CPU = torch.device("cpu")


def reference(q, k, v, segments):
    """Full scores, a mask, softmax: the definition."""
    fold = q.shape[1] // k.shape[1]
    scores = q @ k.repeat_interleave(fold, 1).transpose(2, 3) * q.shape[-1] ** -0.5
    length = segments.shape[1]
    seen = (segments[:, :, None] == segments[:, None, :]) & torch.ones(length, length).bool().tril()
    scores = scores.masked_fill(~seen[:, None], float("-inf"))
    return scores.softmax(-1) @ v.repeat_interleave(fold, 1)


@hypothesis_settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.lists(st.integers(1, 20), min_size=1, max_size=4), min_size=1, max_size=3),
    fold=st.sampled_from([1, 3]),
    size=st.sampled_from([4, 7, 128]),
    padding=st.integers(0, 3),
)
def test_blocks_equal_the_definition_forward_and_backward(lengths, fold, size, padding):
    length = max(map(sum, lengths)) + padding
    segments = torch.full((len(lengths), length), -1)
    for row, parts in enumerate(lengths):
        at = 0
        for number, part in enumerate(parts):
            segments[row, at : at + part] = number
            at += part
    generator = torch.Generator().manual_seed(length)
    shapes = [(len(lengths), heads, length, 8) for heads in (2 * fold, 2, 2)]
    q, k, v = (torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    inputs = [t.requires_grad_() for t in (q, k, v)]
    above = torch.randn(shapes[0], generator=generator, dtype=torch.float64)
    wanted = reference(q, k, v, segments)
    got = blocked_attention(q, k, v, blocks(segments, size), 8**-0.5)
    torch.testing.assert_close(got, wanted, rtol=1e-5, atol=1e-5)
    for one, other in zip(
        torch.autograd.grad(got, inputs, above),
        torch.autograd.grad(wanted, inputs, above),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def fake_flash(monkeypatch):
    """flash-attn's function with its arguments and its meaning, computed a document at a time."""
    calls = []

    def flash_attn_varlen_func(
        q, k, v, cu_q, cu_k, max_q, max_k, softmax_scale, causal, deterministic
    ):
        assert deterministic == torch.are_deterministic_algorithms_enabled()
        assert causal and cu_q.dtype == torch.int32 and torch.equal(cu_q, cu_k)
        assert max_q == max_k == int(cu_q.diff().max()) and int(cu_q[-1]) == len(q)
        calls.append(len(cu_q) - 1)
        parts = []
        for first, last in zip(cu_q[:-1].tolist(), cu_q[1:].tolist(), strict=True):
            one = [t[first:last].transpose(0, 1)[None] for t in (q, k, v)]
            out = functional.scaled_dot_product_attention(
                *one, is_causal=True, scale=softmax_scale, enable_gqa=True
            )
            parts.append(out[0].transpose(0, 1))
        return torch.cat(parts)

    module = types.ModuleType("flash_attn")
    module.flash_attn_varlen_func = flash_attn_varlen_func
    monkeypatch.setitem(sys.modules, "flash_attn", module)
    return calls


def batch_of(rows: list[list[int]], length: int) -> Batch:
    """Random documents of the given lengths, a row each list, padded to ``length``."""
    draw = np.random.default_rng(5)
    shape = (len(rows), length)
    ids, labels = np.zeros(shape, np.int64), np.full(shape, -100)
    segments, positions = np.full(shape, -1), np.zeros(shape, np.int64)
    for row, parts in enumerate(rows):
        at = 0
        for number, part in enumerate(parts):
            words = draw.integers(1, VOCABULARY, part)
            ids[row, at : at + part] = words
            labels[row, at : at + part - 1] = words[1:]
            segments[row, at : at + part] = number
            positions[row, at : at + part] = np.arange(part)
            at += part
    return Batch(*map(torch.from_numpy, (ids, labels, segments, positions)))


@pytest.mark.parametrize("kind", ["blocked", "sdpa", "flash"])
def test_packed_documents_equal_separate_ones(kind, tmp_path, monkeypatch):
    """Loss and every gradient of a packed batch: those of its documents one by one, in float32."""
    calls = fake_flash(monkeypatch)
    folder = tiny_model(tmp_path / "model")
    lengths = [[5, 20, 7], [40], [1, 2, 30]]
    batch = batch_of(lengths, 40)

    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    separate = torch.zeros((), dtype=torch.float64)
    for row, parts in enumerate(lengths):
        at = 0
        for part in parts:
            ids = batch.input_ids[row : row + 1, at : at + part]
            logits = plain(input_ids=ids, use_cache=False).logits[0, :-1]
            separate += functional.cross_entropy(logits, ids[0, 1:], reduction="sum")
            at += part
    separate.backward()

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    together = PackedLoss(model, kind)(batch)
    together.backward()
    torch.testing.assert_close(together, separate, rtol=1e-6, atol=1e-5)
    for (name, one), other in zip(model.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5, msg=name)
    # 7 documents and the padding of two rows, in each of two layers
    assert calls == ([9, 9] if kind == "flash" else [])


@pytest.mark.parametrize("kind", ["blocked", "sdpa"])
def test_logits_of_a_document_do_not_depend_on_its_neighbours(kind, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path / "model")).eval()
    attention.install(model)
    batch = batch_of([[9, 23]], 32)
    changed = batch.input_ids.clone()
    changed[0, :9] = 1
    hidden = []
    for ids in (batch.input_ids, changed):
        plan = attention.packing(kind, batch.segment_ids)
        out = model.get_decoder()(
            input_ids=ids, position_ids=batch.position_ids, use_cache=False, packing=plan
        )
        hidden.append(out.last_hidden_state[0])
    assert torch.equal(hidden[0][9:], hidden[1][9:])
    assert not torch.equal(hidden[0][:9], hidden[1][:9])


def test_what_auto_takes(monkeypatch):
    cuda = torch.device("cuda")
    monkeypatch.setattr(attention.importlib.util, "find_spec", lambda name: None)
    assert attention.choose("auto", CPU, "bf16") == "blocked"
    assert attention.choose("sdpa", CPU, "bf16") == "sdpa"
    assert attention.choose("auto", cuda, "bf16") == "varlen"
    assert attention.choose("auto", cuda, "fp32") == "sdpa"
    with pytest.raises(UserError, match="flash needs"):
        attention.choose("flash", cuda, "bf16")
    monkeypatch.setattr(attention.importlib.util, "find_spec", lambda name: object())
    assert attention.choose("auto", cuda, "bf16") == "flash"
    with pytest.raises(UserError, match="flash needs"):
        attention.choose("flash", CPU, "bf16")


def test_torchs_own_kernel_gets_causal_documents(monkeypatch):
    """PyTorch's variable-length kernel needs CUDA: here only what it is called with is checked."""
    from torch.nn.attention import varlen

    seen = {}

    def record(
        q, k, v, cu_q, cu_k, max_q, max_k, *, scale=None, window_size=(-1, -1), enable_gqa=False
    ):
        seen.update(scale=scale, window_size=window_size, enable_gqa=enable_gqa)
        seen.update(bounds=cu_q.tolist(), longest=max_q, shape=tuple(q.shape))
        return q

    monkeypatch.setattr(varlen, "varlen_attn", record)
    plan = attention.packing("varlen", torch.tensor([[0, 0, 1, -1]]))
    q, k = torch.randn(1, 4, 4, 8), torch.randn(1, 2, 4, 8)
    out, _ = attention.attend(torch.nn.Identity(), q, k, k, None, scaling=0.5, packing=plan)
    assert torch.equal(out, q.transpose(1, 2))
    assert seen == {
        "bounds": [0, 2, 3, 4],
        "longest": 2,
        "shape": (4, 4, 8),
        "scale": 0.5,
        "window_size": (-1, 0),
        "enable_gqa": True,
    }
