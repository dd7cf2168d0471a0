"""DeepSpeed's ZeRO on two CPU ranks: the torch engine's losses, and runs that change hands."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from forked_ranks import train
from lemur.core.errors import UserError
from lemur.models.outlines import numbers
from lemur.tokenization.packed import PackedDataset
from lemur.training.chat import add_markers
from lemur.training.engines.deepspeed_engine import _surroundings
from lemur.training.model import load
from lemur.training.settings import parse
from lemur.training.stage import run
from safetensors.torch import load_file, save_file
from tiny_training import at_step, command, poisoned, settings, timeless, tiny_model


def spec_of(stage: int, ranks: int = 2, **changes) -> dict:
    return settings(
        engine="deepspeed",
        parallel__zero_stage=stage,
        parallel__processes_per_node=ranks,
        **changes,
    )


def launched(spec, model, index, done, **more) -> subprocess.Popen:
    ranks = str(spec["parallel"]["processes_per_node"])
    launcher = [
        sys.executable,
        "-m",
        "lemur.launch",
        "--processes",
        ranks,
        "--out",
        str(done),
        "--",
    ]
    return subprocess.Popen(
        [*launcher, *command(spec, model, index, done)[1:]],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        **more,
    )


def finished(spec, model, index, done) -> str:
    """What rank 0 says in a run that ends well."""
    done.parent.mkdir(parents=True, exist_ok=True)
    shown = done.parent / "stderr.txt"
    with pytest.MonkeyPatch.context() as patch:
        code, _ = train(patch, spec, model, index, done, shown=shown)
    assert code == 0, shown.read_text()
    return shown.read_text()


@pytest.fixture(scope="module")
def alone(tmp_path_factory, model_folder, index):
    done = tmp_path_factory.mktemp("alone") / "DONE.json"
    run(settings(), model_folder, index, done)
    return done.parent


def same_run(folder, other, rel: float) -> None:
    """Equal losses at every step, and equal weights where the run ended."""
    one, two = (timeless(f / "metrics.jsonl") for f in (folder, other))
    assert [line["loss"] for line in one] == pytest.approx([line["loss"] for line in two], rel=rel)
    norms = [[line["gradient_norm"] for line in lines] for lines in (one, two)]
    assert norms[0] == pytest.approx(norms[1], rel=20 * rel)
    weights = [load_file(f / "model" / "model.safetensors") for f in (folder, other)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert (tensor.float() - weights[1][name].float()).abs().max() < 100 * rel, name


@pytest.mark.long
@pytest.mark.parametrize(("stage", "ranks"), [(1, 2), (2, 2), (3, 2), (1, 4), (2, 4), (3, 4)])
def test_more_ranks_give_the_losses_of_one_process(
    stage, ranks, alone, tmp_path, model_folder, index
):
    """The same global batch: losses within 2e-5, relative, at every step, in float32."""
    done = tmp_path / "DONE.json"
    spec = spec_of(stage, ranks, micro_batch_sequences=4 // ranks)
    shown = finished(spec, model_folder, index, done)
    assert f"engine deepspeed, {ranks} rank(s) on cpu, fp32, 17,472 parameters" in shown
    same_run(done.parent, alone, 2e-5)
    assert json.loads(done.read_text())["engine"] == "deepspeed"


@pytest.mark.long
@pytest.mark.parametrize("stage", [2, 3])
def test_bfloat16_is_close(stage, alone, tmp_path, model_folder, index):
    done = tmp_path / "DONE.json"
    finished(spec_of(stage, precision="bf16"), model_folder, index, done)
    one, two = (timeless(f / "metrics.jsonl") for f in (tmp_path, alone))
    assert [line["loss"] for line in one] == pytest.approx([line["loss"] for line in two], rel=5e-3)


@pytest.mark.long
@pytest.mark.parametrize("offload", ["optimizer", "parameters"])
def test_offloading_changes_nothing(offload, alone, tmp_path, model_folder, index):
    done = tmp_path / "DONE.json"
    stage = {"optimizer": 2, "parameters": 3}[offload]
    finished(spec_of(stage, parallel__offload=offload), model_folder, index, done)
    same_run(done.parent, alone, 2e-5)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", [2, 3])
def test_a_run_changes_hands(stage, alone, tmp_path, model_folder, index):
    """Begun on two ranks and killed, continued in one process, killed, ended on two ranks."""
    done = tmp_path / "DONE.json"
    two = spec_of(stage, checkpoint__every_steps=2)

    def killed_after(lines: int, start) -> None:
        process = start()
        try:
            while process.poll() is None:
                found = list(tmp_path.glob("checkpoints/*/metrics.jsonl"))
                if found and found[0].read_bytes().count(b"\n") >= lines:
                    break
                time.sleep(0.002)
            assert process.poll() is None, process.stderr.read()
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    killed_after(4, lambda: launched(two, model_folder, index, done, start_new_session=True))
    one = settings(checkpoint__every_steps=2)
    killed_after(
        7,
        lambda: subprocess.Popen(
            command(one, model_folder, index, done),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ),
    )
    last = launched(two, model_folder, index, done)
    _, shown = last.communicate(timeout=500)
    assert last.returncode == 0, shown
    assert "continuing after step" in shown
    same_run(done.parent, alone, 2e-5)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("vocabulary", ["keep", "chatml"])
def test_in_stage_3_no_rank_holds_the_base(tied, vocabulary, tmp_path, index):
    """Layers take no memory, and have every name, shape and buffer; rank 0 reads each on its own."""
    folder = tiny_model(tmp_path / "model", tie_word_embeddings=tied)
    spec, data = parse(spec_of(3, vocabulary=vocabulary)), PackedDataset(index)
    first, other = (load(folder, spec, data, rank) for rank in (0, 1))
    whole = load(folder, parse(settings()), data)
    shapes = [{n: p.shape for n, p in m.named_parameters()} for m in (first, other, whole)]
    assert shapes[0] == shapes[1] == shapes[2]
    for model in (first, other):
        for p in model.model.layers.parameters():
            assert p.untyped_storage().nbytes() == 4
        output, table = model.get_output_embeddings(), model.get_input_embeddings()
        assert (output.weight is table.weight) is tied
        buffers = [dict(m.named_buffers()) for m in (model, whole)]
        assert buffers[0] and buffers[0].keys() == buffers[1].keys()
        assert all(torch.equal(buffer, buffers[1][name]) for name, buffer in buffers[0].items())
    if vocabulary == "chatml":  # what new rows are the mean of is there
        assert [add_markers(model, folder) for model in (first, other, whole)] == [2, 2, 2]
    expected = dict(whole.named_parameters())
    for name, p in first.named_parameters():
        assert torch.equal(numbers(p), expected[name]), name
    assert first.generation_config.to_dict() == whole.generation_config.to_dict()


def test_what_cannot_be_read_weight_by_weight_is_read_as_a_whole(tmp_path, index, capfd):
    """A weight of another name, as families have it that are stored otherwise, or that is missing."""
    folder = tiny_model(tmp_path / "model")
    spec, path = parse(spec_of(3)), folder / "model.safetensors"
    weights = load_file(path)
    save_file({**weights, "more.weight": torch.ones(2)}, path, {"format": "pt"})
    model = load(folder, spec, PackedDataset(index), 0)
    assert torch.equal(model.model.norm.weight.data, weights.pop("model.norm.weight"))
    assert model.model.layers[0].mlp.up_proj.weight.untyped_storage().nbytes() > 4
    assert "config.json has no place for 1 weights" in capfd.readouterr().err
    save_file(weights, path, {"format": "pt"})
    with pytest.raises(UserError, match=r"1 weight is missing, the first is 'model\.norm\.weight'"):
        load(folder, spec, PackedDataset(index), 0)


def test_ranks_that_were_not_started_are_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("DS_ACCELERATOR", "cpu")
    with pytest.raises(UserError) as caught:
        _surroundings(parse(spec_of(2)))
    assert "= 2, but 1 rank(s) were started: python -m lemur.launch --processes 2" in str(
        caught.value
    )


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("stage", "precision"), [(1, "fp32"), (2, "bf16"), (3, "bf16")])
def test_what_is_not_finite_is_skipped_on_both_ranks(stage, precision, tmp_path):
    """One rank's sequence poisons the step of both; the run ends as one process' run does."""
    changes = {"checkpoint__every_steps": 100, "precision": precision}
    folder, index = poisoned(tmp_path, [at_step(2, settings())[1]])
    run(settings(**changes), folder, index, tmp_path / "alone" / "DONE.json")
    done = tmp_path / "two" / "DONE.json"
    shown = finished(spec_of(stage, **changes), folder, index, done)
    assert shown.count("not finite") == 3
    one, two = (timeless(tmp_path / name / "metrics.jsonl") for name in ("alone", "two"))
    assert [x["step"] for x in two if x.get("skipped")] == [
        x["step"] for x in one if x.get("skipped")
    ]
    losses = [[x["loss"] for x in lines if x["loss"] is not None] for lines in (one, two)]
    assert losses[0] == pytest.approx(losses[1], rel=2e-5 if precision == "fp32" else 1e-2)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("stage", [2, 3])
def test_adapters_on_two_ranks(stage, tmp_path, model_folder, index):
    lora = {"rank": 4, "alpha": 8}
    run(settings(lora=lora), model_folder, index, tmp_path / "alone" / "DONE.json")
    done = tmp_path / "two" / "DONE.json"
    shown = finished(spec_of(stage, lora=lora), model_folder, index, done)
    assert "17,472 parameters (" in shown
    same_run(done.parent, tmp_path / "alone", 2e-5)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_compiled_ranks_learn_the_same(alone, tmp_path, model_folder, index):
    compiled = tmp_path / "compiled" / "DONE.json"
    finished(spec_of(2, compile=True), model_folder, index, compiled)
    same_run(compiled.parent, alone, 2e-5)
