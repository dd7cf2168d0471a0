"""What a GPU alone would refuse: kernels' arguments by their doubles, devices by one without numbers."""

import dataclasses
from pathlib import Path

import pytest
import torch
from gpu import double
from gpu.attention import BOUND, TINY, attended, error, operands, segments
from gpu.check import surroundings
from lemur.training import attention, optimizer
from lemur.training.batches import Batch
from lemur.training.engines.torch_engine import TorchEngine
from lemur.training.settings import parse
from lemur.training.throughput import matrix_rate
from tiny_training import settings
from torch.nn.attention import varlen
from transformers import LlamaConfig, LlamaForCausalLM


def oldest(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, is_causal=False, return_aux=None):
    """The signature of PyTorch 2.10."""


def middle(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, *, return_aux=None, scale=None,
           window_size=(-1, -1)):  # fmt: skip
    """That of 2.11."""


def newer(query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, *, return_aux=None, scale=None,
          window_size=(-1, -1), enable_gqa=False, seqused_k=None, block_table=None,
          num_splits=None):  # fmt: skip
    """That of 2.13."""


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(
    "real", [oldest, middle, newer, None], ids=["2.10", "2.11", "2.13", "here"]
)
def test_torchs_kernel_is_called_as_each_release_takes_it(real, scaled, monkeypatch):
    """Forward and backward as masked attention in float64, with arguments that the release knows."""
    stands = double.varlen(real or varlen.varlen_attn)
    monkeypatch.setattr(varlen, "varlen_attn", stands)
    shape = TINY["tiny"]
    ids, exact = segments(shape[0], shape[3]), operands(shape)
    if scaled:
        monkeypatch.setattr(
            attention, "attend", lambda *given, f=attention.attend, **n: f(*given, scaling=0.4, **n)
        )
    wanted = attended("sdpa", ids, exact)
    found = attended("varlen", ids, [t.bfloat16() for t in exact])
    for one, other in zip(found, wanted, strict=True):
        assert error(one, other) < BOUND[torch.bfloat16]


def test_flash_attn_is_called_as_its_release_takes_it():
    shape = TINY["tiny"]
    ids, exact = segments(shape[0], shape[3]), operands(shape)
    with double.kernels():
        found = attended("flash", ids, [t.bfloat16() for t in exact])
    for one, other in zip(found, attended("sdpa", ids, exact), strict=True):
        assert error(one, other) < BOUND[torch.bfloat16]


def good():
    q, k = torch.zeros(6, 4, 16).bfloat16(), torch.zeros(6, 2, 16).bfloat16()
    bounds = torch.tensor([0, 2, 6], dtype=torch.int32)
    return {"q": q, "k": k, "v": k, "bounds": (bounds, bounds), "longest": (4, 4)}


def bounds_of(values, kind=torch.int32):
    made = torch.tensor(values, dtype=kind)
    return (made, made)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"bounds": bounds_of([0, 2, 6], torch.int64)}, "int64"),
        ({"bounds": bounds_of([0, 2, 5])}, "from 0 to 5 over 6"),
        ({"bounds": bounds_of([1, 2, 6])}, "from 1 to 6 over 6"),
        ({"bounds": bounds_of([0, 4, 2, 6])}, "bounds fall"),
        ({"longest": (3, 3)}, "longer than 3"),
        ({"longest": (torch.tensor(4), 4)}, "is no int"),
        ({"q": torch.zeros(6, 4, 16)}, "half precision"),
        ({"k": torch.zeros(6, 2, 16).half()}, "key: torch.float16"),
        ({"v": torch.zeros(6, 16, 2).bfloat16().transpose(1, 2)}, "not contiguous"),
        ({"q": torch.zeros(6, 5, 16).bfloat16()}, "do not share"),
        ({"k": torch.zeros(6, 2, 16, device="meta").bfloat16()}, "on meta"),
        ({"q": torch.zeros(1, 6, 4, 16).bfloat16()}, "4 dimensions"),
    ],
)
def test_the_double_refuses_what_the_kernel_refuses(changes, said):
    given = {**good(), **changes}
    if said is None:
        double.check_variable_length(*given.values())
        return
    with pytest.raises(ValueError, match=said):
        double.check_variable_length(*given.values())


@pytest.fixture
def no_numbers(monkeypatch):
    """The device ``meta`` stands for a GPU: whatever stays on the CPU beside it is refused there too."""
    build = optimizer.build

    def plain(*given):  # the fused kernel is PyTorch's own and knows no such device
        made = build(*given)
        assert all(group["fused"] for group in made.param_groups)
        for group in made.param_groups:
            group.update(fused=False, foreach=False)
        made._step_supports_amp_scaling = False
        step = made.step

        def checked():
            double.check_fused(made)  # of the plain update after it the host counts the steps
            step()

        made.step = checked
        return made

    monkeypatch.setattr(optimizer, "build", plain)
    with double.without_numbers(truth=True):
        yield


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"precision": "fp32"},
        pytest.param({"z_loss": 1e-4}, marks=pytest.mark.long),
        pytest.param({"gradient_checkpointing": True}, marks=pytest.mark.long),
    ],
)
def test_a_step_leaves_nothing_on_the_host(changes, no_numbers, monkeypatch):
    """The engine's own update, with torch's kernel for half precision: no two devices meet."""
    monkeypatch.setattr(varlen, "varlen_attn", double.varlen(varlen.varlen_attn))
    spec = parse(settings(**{"precision": "bf16", **changes}))
    spec = dataclasses.replace(spec, device="meta")
    shape = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2}  # fmt: skip
    engine = TorchEngine(LlamaForCausalLM(LlamaConfig(**shape)), spec)
    assert engine.loss.kind == ("sdpa" if spec.precision == "fp32" else "varlen")
    ids = segments(2, 16)
    places = torch.arange(16).expand(2, -1).contiguous()
    labels = torch.ones(2, 16, dtype=torch.int64)
    batch = Batch(labels, labels, ids, places)
    engine.train_step([batch, batch], 64, 1e-4)
    assert {p.device.type for p in engine.computed.values()} == {"meta"}
    kept = engine.optimizer.state[next(iter(engine.masters.values()))]
    assert kept["exp_avg"].device.type == "meta" and kept["exp_avg"].dtype == torch.float32


def test_the_double_device_refuses_a_tensor_left_on_the_host(no_numbers):
    here, there = torch.ones(2, 2), torch.ones(2, 2, device="meta")
    with pytest.raises(RuntimeError, match="tensors of cpu and meta"):
        there @ here
    assert (here.to("meta") @ there + torch.ones(())).device.type == "meta"


def test_products_are_deterministic_where_cublas_was_told_in_time(no_numbers, monkeypatch):
    """It looks at the first product of a process: what is set for a later one is not seen."""
    there = torch.ones(2, 2, device="meta")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    there @ there
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        with pytest.raises(RuntimeError, match="not set at the first product"):
            there @ there
    finally:
        torch.use_deterministic_algorithms(False)
    parts = surroundings(Path("/nowhere"), None, False)
    assert parts["CUBLAS_WORKSPACE_CONFIG"] in double.WORKSPACES


def test_the_fused_update_takes_what_its_kernel_takes():
    p = torch.nn.Parameter(torch.ones(2, 2))
    made = torch.optim.AdamW([p], fused=True)
    p.grad = torch.ones(2, 2)
    made.step()
    double.check_fused(made)
    made.state[p]["step"] = torch.tensor(1.0, device="meta")
    with pytest.raises(ValueError, match="step: torch.float32 on meta"):
        double.check_fused(made)
    made.state[p] = {"exp_avg": torch.ones(2, 2).bfloat16()}
    with pytest.raises(ValueError, match="exp_avg: torch.bfloat16"):
        double.check_fused(made)


def test_the_matrix_rate_is_of_random_numbers_and_leaves_the_seed_alone(monkeypatch):
    """A GPU multiplies equal numbers faster than weights: utilisation would be a share of too much."""
    seen, multiply = [], torch.mm

    def recorded(a, b, out):
        seen.append((a, b))
        return multiply(a, b, out=out)

    monkeypatch.setattr(torch, "mm", recorded)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    matrix_rate(torch.device("cpu"), "fp32", seconds=0.0)
    assert torch.equal(torch.get_rng_state(), before)
    a, b = seen[0]
    assert len(a.flatten()[:1000].unique()) > 900 and not torch.equal(a, b)
