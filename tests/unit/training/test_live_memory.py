"""The plan's parts against the bytes of live tensors, at shapes that no factor was fitted to.

What the C allocator keeps beside them is left out, so these numbers do not depend on it.
"""

import pytest
import torch
from lemur.core.contracts import part
from lemur.cost import memory
from lemur.cost.architecture import Architecture
from lemur.cost.recipe import Training
from lemur.training.batches import Batch
from lemur.training.engines import registry
from lemur.training.settings import parse
from tiny_training import settings
from transformers import LlamaConfig, LlamaForCausalLM

GROUPED = {
    "vocabulary": 4_000, "hidden": 512, "intermediate": 1_408, "layers": 4, "heads": 8,
    "kv_heads": 4, "tied_embeddings": False,
}  # fmt: skip
TIED = {**GROUPED, "hidden": 640, "intermediate": 1_728, "heads": 10, "kv_heads": 10}
TIED["tied_embeddings"] = True


def batch(rows: torch.Tensor) -> Batch:
    places = torch.arange(rows.shape[1]).expand_as(rows).contiguous()
    return Batch(rows, rows, torch.zeros_like(rows), places)


def live_peak(shape: dict, spec) -> int:
    """Most bytes of tensors at a time in the second update, less those that it began with."""
    config = LlamaConfig(
        vocab_size=shape["vocabulary"],
        hidden_size=shape["hidden"],
        intermediate_size=shape["intermediate"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kv_heads"],
        tie_word_embeddings=shape["tied_embeddings"],
    )
    rows = torch.randint(0, shape["vocabulary"], (spec.micro, spec.context))
    # Moments come with the first update and gradients with a first micro-batch: few tokens do for
    # both, and only the second micro-batch of the second update holds the most.
    whole, few = batch(rows), batch(rows[:, :8])
    built = registry.build(LlamaForCausalLM(config), spec)
    built.train_step([few], few.input_ids.numel(), 1e-4)
    cpu = torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[cpu], profile_memory=True) as profiler:
        built.train_step([few, whole], few.input_ids.numel() + whole.input_ids.numel(), 1e-4)
    events = [e for e in profiler.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


@pytest.mark.parametrize(
    "shape",
    [pytest.param(GROUPED, marks=pytest.mark.long, id="grouped"), pytest.param(TIED, id="tied")],
)
@pytest.mark.parametrize(
    ("precision", "recompute", "micro", "context"),
    [
        pytest.param("bf16", False, 2, 128, marks=pytest.mark.long),
        ("fp32", False, 1, 256),
        ("fp32", True, 2, 128),
    ],
)
def test_gradients_activations_and_logits(shape, precision, recompute, micro, context, monkeypatch):
    """Within a tenth of all that is held, weights and moments among it."""
    monkeypatch.setattr(memory, "HOLES", {"bf16": 0.0, "fp32": 0.0})
    unit = micro * context
    stage = settings(
        context=context, micro_batch_sequences=micro, global_batch_tokens=2 * unit,
        tokens=4 * unit, precision=precision, gradient_checkpointing=recompute,
    )  # fmt: skip
    parts = memory.rank_memory(Architecture.read(shape), part(Training, stage, "stage"))
    before = parts["weights"] + parts["optimiser"]
    held = before + live_peak(shape, parse(stage))
    predicted = before + parts["gradients"] + parts["activations"] + parts["logits"]
    assert predicted == pytest.approx(held, rel=0.1), parts
