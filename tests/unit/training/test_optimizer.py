"""Decay is on matrices alone, clipping on the whole gradient; updates equal plain PyTorch's."""

import pytest
import torch
from lemur.tokenization.packed import PackedDataset
from lemur.training import optimizer
from lemur.training.batches import step_batches
from lemur.training.engines.base import NotFinite
from lemur.training.engines.torch_engine import TorchEngine
from lemur.training.settings import parse
from tiny_training import settings, tiny_model
from torch.nn import functional
from transformers import AutoModelForCausalLM


def loaded(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def test_what_decays(tmp_path):
    model = loaded(tiny_model(tmp_path / "model", tie_word_embeddings=False))
    embeddings = optimizer.embedding_names(model)
    assert embeddings == {"model.embed_tokens.weight"}
    named = dict(model.named_parameters())
    decaying = {name for name, p in named.items() if optimizer.decays(name, p.shape, embeddings)}
    assert "lm_head.weight" in decaying and "model.layers.0.mlp.up_proj.weight" in decaying
    assert not any("norm" in name or "embed" in name for name in decaying)
    made = optimizer.groups(named, embeddings, 0.1)
    assert [group["weight_decay"] for group in made] == [0.1, 0.0]
    assert sum(len(group["params"]) for group in made) == len(named)


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize("micro", [1, 4])
def test_updates_equal_a_plain_loop(model_folder, index, clip, micro):
    """Three steps against logits, cross_entropy(mean), clip_grad_norm_ and AdamW of PyTorch."""
    data = PackedDataset(index)
    spec = parse(settings(micro_batch_sequences=micro, optimizer__clip=clip))
    engine = TorchEngine(loaded(model_folder), spec)
    plain = loaded(model_folder)
    decayed = [p for n, p in plain.named_parameters() if p.ndim > 1 and "embed" not in n]
    rest = [p for n, p in plain.named_parameters() if p.ndim == 1 or "embed" in n]
    adam = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}],
        betas=spec.betas,
        eps=spec.epsilon,
    )
    for step, rate in enumerate((0.01, 0.02, 0.005)):
        batches = step_batches(data, spec, step, 0)
        targets = sum(batch.targets for batch in batches)
        total, norm = engine.train_step(batches, targets, rate)
        losses = []
        for step_batche in step_batches(data, parse(settings(micro_batch_sequences=1)), step, 0):
            ids, segments = step_batche.input_ids, step_batche.segment_ids
            mask = (segments[:, :, None] == segments[:, None]) & torch.ones(16, 16).bool().tril()
            logits = plain(
                input_ids=ids, attention_mask=mask[:, None], position_ids=step_batche.position_ids
            ).logits
            losses.append(
                functional.cross_entropy(logits[0], step_batche.labels[0], reduction="sum")
                / targets
            )
        mean = sum(losses)
        mean.backward()
        expected = torch.nn.utils.clip_grad_norm_(plain.parameters(), clip or float("inf"))
        for group in adam.param_groups:
            group["lr"] = rate
        adam.step()
        adam.zero_grad()
        assert total / targets == pytest.approx(mean.item(), rel=1e-5)
        assert norm == pytest.approx(float(expected), rel=1e-4)
    for (name, one), other in zip(engine.masters.items(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.detach(), other.detach(), rtol=2e-4, atol=2e-5, msg=name)


def test_a_gradient_that_is_not_finite_changes_nothing(model_folder, index):
    data = PackedDataset(index)
    spec = parse(settings())
    model = loaded(model_folder)
    with torch.no_grad():
        model.model.norm.weight[0] = float("nan")
    engine = TorchEngine(model, spec)
    before = {name: p.detach().clone() for name, p in engine.masters.items()}
    with pytest.raises(NotFinite):
        engine.train_step(step_batches(data, spec, 0, 0), 50, 0.1)
    for name, p in engine.masters.items():
        assert torch.equal(p.detach().nan_to_num(7), before[name].nan_to_num(7))
        assert p.grad is None


def test_bfloat16_keeps_float32_masters(model_folder, index):
    """Updates far below bfloat16's spacing still add up in the masters."""
    data = PackedDataset(index)
    spec = parse(settings(precision="bf16"))
    engine = TorchEngine(loaded(model_folder), spec)
    name = "model.layers.0.mlp.up_proj.weight"
    assert engine.computed[name].dtype == torch.bfloat16
    assert engine.model.model.rotary_emb.inv_freq.dtype == torch.float32
    before = engine.masters[name].detach().clone()
    engine.train_step(step_batches(data, spec, 0, 0), 50, 1e-7)
    moved = engine.masters[name].detach() - before
    assert 0 < moved.abs().max() < 1e-6
    assert engine.masters[name].dtype == torch.float32
    assert torch.equal(engine.computed[name], engine.masters[name].to(torch.bfloat16))
