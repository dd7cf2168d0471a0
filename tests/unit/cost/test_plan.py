"""The plan against numbers computed by hand, and its refusals."""

import json
import subprocess
import sys
import time

import pytest
from lemur import cost
from lemur.core.contracts import part, plain
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.cost import disk, fit, flops, memory
from lemur.cost.architecture import Architecture, parameters
from lemur.cost.recipe import Training, planned
from lemur.cost.summary import duration, size

LLAMA_2_70B = {
    "layers": 80, "hidden": 8192, "heads": 64, "kv_heads": 8, "intermediate": 28672,
    "vocabulary": 32000, "tied_embeddings": False, "max_context": 4096,
}  # fmt: skip
SMOLLM2_135M = {
    "layers": 30, "hidden": 576, "heads": 9, "kv_heads": 3, "intermediate": 1536,
    "vocabulary": 49152, "tied_embeddings": True, "max_context": 8192,
}  # fmt: skip
TOKENS = 90_000_000_000


def stage(**changes):
    made = {
        "tokens": 90_001_375_232, "context": 2048, "global_batch_tokens": 4_194_304,
        "micro_batch_sequences": 1, "precision": "bf16", "engine": "deepspeed",
        "gradient_checkpointing": True, "checkpoint": {"every_steps": 10, "keep": 2},
        "parallel": {"device": "cuda", "nodes": 32, "processes_per_node": 8, "zero_stage": 3},
    }  # fmt: skip
    parallel = {**made["parallel"], **changes.pop("parallel", {})}
    return {**made, **changes, "parallel": parallel}


def recipe(**changes):
    sft = {**stage(), "epochs": 2, "max_examples": 300_000, "sources": [{"name": "a", "examples": 400_000}]}  # fmt: skip
    made = {
        "name": "paper", "base": {"name": "llama-2-70b", "architecture": LLAMA_2_70B, "from": {}},
        "corpus": {"name": "lemur", "sources": []}, "mixture": {"code_to_text": 10},
        "pretrain": stage(), "sft": sft, "evaluate": {"benchmarks": []},
        "cost": {"utilisation": 0.5, "device": "GPU", "device_tflops": 1000, "device_memory_gb": 80},
    }  # fmt: skip
    return {**made, **changes}


def read_stage(made):
    return part(Training, made, "stage")


def rank_memory(shape, made):
    return memory.rank_memory(Architecture.read(shape), read_stage(made))


def host_memory(shape, made):
    return memory.host_memory(Architecture.read(shape), read_stage(made))


def largest_micro(shape, made, room):
    return fit.largest_micro(Architecture.read(shape), read_stage(made), room)


def plan_of(made):
    return plain(cost.cost(planned(made)))


def check(made):
    cost.check(planned(made))


def summary(made):
    return cost.summary(planned(made))


def nearest(made, name):
    return fit.nearest(planned(made), name)


def disk_of(made):
    return disk.disk(planned(made))


# -- parameters and FLOPs ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        (LLAMA_2_70B, 68_976_648_192),
        (SMOLLM2_135M, 134_515_008),
        # Llama-3-8B, as its checkpoint counts.
        (
            {**LLAMA_2_70B, "layers": 32, "hidden": 4096, "heads": 32, "intermediate": 14336, "vocabulary": 128256},
            8_030_261_248,
        ),
    ],
)  # fmt: skip
def test_parameters_of_known_models(shape, count):
    found = parameters(Architecture.read(shape))
    assert found["total"] == count
    assert sum(value for name, value in found.items() if name != "total") == count


def test_a_stated_head_width_replaces_the_quotient():
    wide = {**SMOLLM2_135M, "head_dim": 128}
    more = 30 * (2 * 576 * 9 * (128 - 64) + 2 * 576 * 3 * (128 - 64))
    assert parameters(Architecture.read(wide))["total"] == 134_515_008 + more


def test_6nd_of_90_billion_tokens():
    found = flops.training_flops(Architecture.read(LLAMA_2_70B), TOKENS, 2048)
    assert found["parameters"] == 6 * 68_976_648_192 * TOKENS == 37_247_390_023_680_000_000_000
    assert found["attention"] == 12 * 80 * 8192 * 2048 * TOKENS == 1_449_551_462_400_000_000_000
    assert found["total"] == found["parameters"] + found["attention"]


def test_device_hours():
    assert flops.device_hours(3600 * 10**15, 1000, 0.5) == pytest.approx(2.0)
    part = plan_of(recipe())["stages"]["pretrain"]
    assert part["device_hours"] == pytest.approx(part["flops"]["total"] / 0.5e15 / 3600)
    assert part["days"] == pytest.approx(part["device_hours"] / 256 / 24)
    assert part["steps"] == 21_458


def test_fine_tuning_is_counted_in_examples():
    made = recipe()
    assert plan_of(made)["stages"]["sft"]["tokens"] == 300_000 * 600 * 2
    made["sft"]["sources"] = [{"name": "a", "examples": 1_000}]
    made["cost"] = {**made["cost"], "tokens_per_example": 50}
    assert plan_of(made)["stages"]["sft"]["tokens"] == 1_000 * 50 * 2
    made["cost"]["tokens_per_example"] = 10_000
    assert plan_of(made)["stages"]["sft"]["tokens"] == 1_000 * 2048 * 2


# -- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zero", "share"),
    [(0, (1, 1, 1)), (1, (1, 1, 256)), (2, (1, 256, 256)), (3, (256, 256, 256))],
)
def test_zero_shards_2_2_and_12_bytes_a_parameter(zero, share):
    found = rank_memory(LLAMA_2_70B, stage(parallel={"zero_stage": zero}))
    count = 68_976_648_192
    assert found["weights"] == pytest.approx(2 * count / share[0])
    assert found["gradients"] == pytest.approx(2 * count / share[1])
    assert found["optimiser"] == pytest.approx(12 * count / share[2])
    assert found["total"] == pytest.approx(sum(found.values()) - found["total"])
    assert ("gathered" in found) == (zero == 3)


def test_recomputing_keeps_one_input_a_block_and_one_block():
    tokens, layers, hidden = 2048, 80, 8192
    # Two norms of 8 bytes a number; queries, output twice, keys and values; the feed-forward's four.
    block = 2 * 8 * hidden + 2 * (3 * hidden + 2 * 1024) + 4 * 64 + 2 * 4 * 28_672
    whole = rank_memory(LLAMA_2_70B, stage(gradient_checkpointing=False))
    less = rank_memory(LLAMA_2_70B, stage(gradient_checkpointing=True))
    assert whole["activations"] == tokens * layers * block
    assert less["activations"] == tokens * (layers * hidden * 2 + block)


def test_activations_and_logits_grow_with_the_micro_batch_and_states_do_not():
    one, two = (rank_memory(LLAMA_2_70B, stage(micro_batch_sequences=count)) for count in (1, 2))
    assert two["activations"] == 2 * one["activations"]
    # A chunk of logits in 16 bits and twice in 32, and the output layer's gradient three times.
    assert one["logits"] == 2048 * 32_000 * 10 + 3 * 2 * 32_000 * 8_192
    assert two["logits"] == (1 << 26) * 10 + (3 * 2 + 4) * 32_000 * 8_192
    many = rank_memory(LLAMA_2_70B, stage(micro_batch_sequences=64))
    assert many["logits"] == two["logits"]
    assert two["weights"] == one["weights"] and two["optimiser"] == one["optimiser"]


def test_offloading_moves_bytes_from_the_device_to_the_host():
    near = stage()
    far = stage(parallel={"offload": "parameters"})
    there, gone = (rank_memory(LLAMA_2_70B, part) for part in (near, far))
    assert gone["weights"] == gone["optimiser"] == 0
    moved = there["weights"] + there["optimiser"]
    host = host_memory(LLAMA_2_70B, far) - host_memory(LLAMA_2_70B, near)
    assert host == pytest.approx(8 * moved)


def test_a_node_holds_its_part_of_a_checkpoint():
    """Float32 weights and both moments of its ranks; less than one rank reads before, of all weights."""
    count = parameters(Architecture.read(LLAMA_2_70B))["total"]
    runtime = 8 * memory.runtime(read_stage(stage()))
    assert host_memory(LLAMA_2_70B, stage()) == runtime + 4 * count
    two = stage(parallel={"nodes": 2, "zero_stage": 3})
    assert host_memory(LLAMA_2_70B, two) == runtime + 6 * count
    whole = stage(parallel={"zero_stage": 2})
    assert host_memory(LLAMA_2_70B, whole) == runtime + 8 * 4 * count


def test_one_process_on_a_cpu_needs_what_its_rank_needs():
    parallel = {"device": "cpu", "nodes": 1, "processes_per_node": 1, "zero_stage": 0}
    part = stage(engine="torch", precision="fp32", gradient_checkpointing=False, parallel=parallel)
    found = rank_memory(SMOLLM2_135M, part)
    assert found["weights"] + found["gradients"] + found["optimiser"] == 16 * 134_515_008
    assert host_memory(SMOLLM2_135M, part) == found["total"]
    made = recipe(pretrain=part, base={"name": "s", "architecture": SMOLLM2_135M, "from": {}})
    assert cost.host_memory_mb(planned(made), "pretrain") == round(1.25 * found["total"] / 1e6)


@pytest.mark.parametrize(
    ("precision", "recompute", "measured"),
    [("bf16", False, 4.48), ("fp32", False, 4.87), ("bf16", True, 3.48)],
)
def test_what_was_measured_of_a_small_model_is_predicted(precision, recompute, measured):
    """Peak resident GB of torch 2 on a CPU: SmolLM2-135M, AdamW, 2 sequences of 512 tokens."""
    part = stage(
        engine="torch", precision=precision, gradient_checkpointing=recompute, context=512,
        micro_batch_sequences=2, parallel={"device": "cpu", "nodes": 1, "processes_per_node": 1, "zero_stage": 0},
    )  # fmt: skip
    found = rank_memory(SMOLLM2_135M, part)["total"] / 1e9
    assert found == pytest.approx(measured, rel=0.1)


def test_adapters_leave_little_to_optimise():
    full = rank_memory(LLAMA_2_70B, stage())
    part = stage(lora={"rank": 16, "alpha": 32})
    found = rank_memory(LLAMA_2_70B, part)
    # peft on Llama-2-70B, rank 16, all linear layers: 207 million
    assert (
        memory.trained_parameters(Architecture.read(LLAMA_2_70B), read_stage(part)) == 207_093_760
    )
    assert found["optimiser"] < full["optimiser"] / 300
    assert found["gradients"] < full["gradients"] / 300
    assert found["weights"] == pytest.approx(full["weights"], rel=0.01)


@pytest.mark.parametrize("micro", [1, 2, 4, 8, 16])
def test_auto_takes_the_most_that_fits(micro):
    """Room for exactly ``micro`` sequences, nine tenths of the device."""
    part = stage(gradient_checkpointing=False, parallel={"device": "cuda", "nodes": 1, "processes_per_node": 8, "zero_stage": 3})  # fmt: skip
    part["global_batch_tokens"] = 8 * 16 * part["context"]
    needed = rank_memory(SMOLLM2_135M, {**part, "micro_batch_sequences": micro})["total"]
    room = needed / fit.FULL
    assert largest_micro(SMOLLM2_135M, part, room * 1.001) == micro
    assert largest_micro(SMOLLM2_135M, part, room * 0.999) == max(1, micro // 2)
    assert largest_micro(SMOLLM2_135M, part, 0) == 1


# -- what fits -----------------------------------------------------------------------------------


def test_the_paper_fits_its_gpus_and_nothing_is_said():
    assert plan_of(recipe())["misfits"] == []
    check(recipe())
    assert not any("warning" in line for line in summary(recipe()))


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({"gradient_checkpointing": False, "micro_batch_sequences": 2}, "pretrain.gradient_checkpointing: true"),
        ({"micro_batch_sequences": 32, "parallel": {"nodes": 4}}, "pretrain.micro_batch_sequences: 8"),
        ({"parallel": {"zero_stage": 2}}, "pretrain.parallel.zero_stage: 3"),
        ({"parallel": {"nodes": 1}}, "pretrain.parallel.nodes: 4"),
        ({"parallel": {"nodes": 1, "zero_stage": 0}}, "pretrain.parallel.nodes: 4, pretrain.parallel.zero_stage: 3"),
    ],
)  # fmt: skip
def test_a_recipe_that_does_not_fit_names_the_nearest_that_does(changes, way):
    part = stage(**changes)
    made = recipe(pretrain=part)
    line = plan_of(made)["misfits"][0]
    assert way in line, line
    with pytest.raises(UserError) as caught:
        check(made)
    assert "config/recipes/paper.yaml: pretrain of 'llama-2-70b' needs" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert any("warning" in text and way in text for text in summary(made))
    mended = json.loads(json.dumps(made))
    for key, value in nearest(made, "pretrain").items():
        *parents, last = key.split(".")
        place = mended
        for parent in parents:
            place = place[parent]
        place[last] = value
    check(mended)
    unit = mended["pretrain"]["context"] * mended["pretrain"]["micro_batch_sequences"]
    assert mended["pretrain"]["global_batch_tokens"] % (unit * read_stage(mended["pretrain"]).parallel.ranks) == 0  # fmt: skip


def test_a_device_too_small_for_any_layout():
    made = recipe(cost={**recipe()["cost"], "device_memory_gb": 2})
    assert "no change of layout makes it fit" in plan_of(made)["misfits"][0]


def test_a_cpu_process_is_not_told_to_shard():
    parallel = {"device": "cpu", "nodes": 1, "processes_per_node": 1, "zero_stage": 0}
    made = recipe(pretrain=stage(engine="torch", parallel=parallel))
    assert nearest(made, "pretrain") is None


# -- disk ----------------------------------------------------------------------------------------


def test_disk_adds_up_by_stage():
    sources = [
        {"name": "pinned", "size": 10_000_000, "from": {"index": "pypi"}, "max_mb": 7},
        {"name": "hub", "from": {"hub": "a/b", "revision": "unresolved"}, "estimate": {"download_gb": 2, "text_gb": 7}},
        {"name": "unknown", "from": {"hub": "a/c", "revision": "0" * 40}},
    ]  # fmt: skip
    made = recipe(corpus={"name": "c", "sources": sources})
    found = disk_of(made)
    assert found["download"] == 10_000_000 + 2e9
    assert found["cleaned"] == pytest.approx((7e6 + 7e9) * disk.CLEANED_PER_TEXT_BYTE)
    assert found["tokens"] == pytest.approx((7e6 + 7e9) / disk.TEXT_BYTES_PER_TOKEN * 2)
    assert found["checkpoints"] == 6 * 12 * 68_976_648_192
    assert found["total"] == pytest.approx(sum(found.values()) - found["total"])
    assert plan_of(made)["unsized"] == ["unknown"]
    assert plan_of(made)["unresolved"] == ["hub"]


def test_a_wide_vocabulary_takes_four_bytes_a_token():
    wide = {"name": "w", "architecture": {**LLAMA_2_70B, "vocabulary": 65_537}, "from": {}}
    corpus = {"name": "c", "sources": [{"name": "a", "estimate": {"download_gb": 1, "text_gb": 1}}]}
    narrow = disk_of(recipe(corpus=corpus))["tokens"]
    assert disk_of(recipe(corpus=corpus, base=wide))["tokens"] == 2 * narrow


# -- the lines -----------------------------------------------------------------------------------


def test_the_summary_is_aligned_short_and_says_what_is_assumed():
    lines = summary(recipe())
    assert 8 <= len(lines) <= 15
    assert lines[0] == "plan of recipe 'paper' (estimates; nothing has run)"
    assert "68,976,648,192 parameters" in lines[1]
    labels = [line[2:].split("  ")[0] for line in lines[1:]]
    assert labels[:5] == ["base", "tokens", "corpus", "FLOPs", "pretrain"]
    starts = {len(line) - len(line[2 + len(label) :].lstrip()) for line, label in zip(lines[1:], labels, strict=True)}  # fmt: skip
    assert len(starts) == 1
    assert any("600 tokens an example assumed" in line for line in lines)


@pytest.mark.parametrize(
    ("gigabytes", "shown"),
    [(0.0123, "12.3 MB"), (1.5, "1.5 GB"), (827.7, "828 GB"), (4966, "4.97 TB"), (1234567, "1,235 TB")],
)  # fmt: skip
def test_sizes(gigabytes, shown):
    assert size(gigabytes) == shown


@pytest.mark.parametrize(
    ("hours", "shown"), [(0.01, "36 s"), (0.5, "30.0 min"), (1.5, "1.5 h"), (47, "47.0 h"), (72, "3.0 days")]
)  # fmt: skip
def test_durations(hours, shown):
    assert duration(hours) == shown


def test_it_needs_the_standard_library_alone_and_milliseconds():
    code = (
        "import json, sys; from lemur import cost; cost.summary(cost.planned(json.load(sys.stdin)));"
        "print([m for m in sys.modules if m.split('.')[0] in ('numpy', 'yaml', 'torch')])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        input=json.dumps(recipe()), capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT / "workflow")},
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stderr
    began = time.perf_counter()
    summary(recipe())
    # 50 ms is the budget and it takes a fraction of one; the margin is for a busy machine.
    assert time.perf_counter() - began < 0.5
