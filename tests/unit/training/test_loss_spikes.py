"""Steps that are not finite are skipped, counted and, too many in a row, the end; spikes are marked."""

import json
import re

import numpy as np
import pytest
import torch
from lemur.core.errors import UserError
from lemur.core.files import write_json
from lemur.tokenization.packed import PackedDataset
from lemur.training import trainer
from lemur.training.loss_spikes import Watch, documents
from lemur.training.stage import run
from safetensors.torch import load_file
from tiny_training import at_step, packed, poisoned, settings, timeless


def test_a_bad_batch_is_skipped_and_nothing_is_learned_from_it(tmp_path):
    spec = settings(checkpoint__every_steps=100)
    folder, index = poisoned(tmp_path, [at_step(2, spec)[1]])
    done = tmp_path / "out" / "DONE.json"
    run(spec, folder, index, done)
    lines = timeless(tmp_path / "out/metrics.jsonl")
    # Four steps are an epoch: the sequence comes back once in each.
    skipped = [line["step"] for line in lines if line.get("skipped")]
    assert skipped[0] == 3 and len(skipped) == 3
    assert all(lines[step - 1]["loss"] is None for step in skipped)
    said = json.loads(done.read_text())
    assert said["skipped_steps"] == 3 and said["final_loss"] == lines[-1]["loss"] is not None
    assert "skipped steps" in (tmp_path / "out/model/README.md").read_text()
    weights = load_file(tmp_path / "out/model/model.safetensors")
    assert weights["model.layers.0.mlp.up_proj.weight"].isfinite().all()


def test_a_resumed_run_skips_the_same(tmp_path, monkeypatch):
    # A seed that ends the first epoch and begins the second with the same sequence.
    seeds = (settings(checkpoint__every_steps=1, max_skipped=2, seed=seed) for seed in range(99))
    spec = next(one for one in seeds if set(at_step(3, one)) & set(at_step(4, one)))
    folder, index = poisoned(tmp_path, [min(set(at_step(3, spec)) & set(at_step(4, spec)))])
    with pytest.raises(UserError, match=r"^step 5: .* 2 times in a row"):
        run(spec, folder, index, tmp_path / "whole" / "DONE.json")
    update = trainer._update

    def dying(job, step, rate):
        if step == 4:
            raise KeyboardInterrupt
        return update(job, step, rate)

    monkeypatch.setattr(trainer, "_update", dying)
    again = tmp_path / "again" / "DONE.json"
    with pytest.raises(KeyboardInterrupt):
        run(spec, folder, index, again)
    monkeypatch.setattr(trainer, "_update", update)
    with pytest.raises(UserError, match=r"^step 5: .* 2 times in a row"):
        run(spec, folder, index, again)  # the one skipped before the interruption counts


def test_the_last_of_too_many_names_its_documents(tmp_path):
    folder, index = poisoned(tmp_path, list(range(16)))
    # As pretraining has them: where documents begin, and what they are.
    np.save(index.parent / "part.offsets.npy", np.arange(0, 257, 16, dtype="<u8"))
    write_json(index.parent / "part.json", {"source": "stack-python", "part": 7})
    spec = settings()
    with pytest.raises(UserError) as caught:
        run(spec, folder, index, tmp_path / "out" / "DONE.json")
    said = str(caught.value)
    assert said.startswith("step 1: loss or gradient not finite: try a lower pretrain.optimizer.")
    assert "nothing was learned yet" in said and "\n" not in said
    rows = [int(row) for row in re.findall(r"stack-python part 7 row (\d+)", said)]
    assert rows == at_step(0, spec)
    assert not (tmp_path / "out" / "DONE.json").exists()


def test_documents_are_named_as_well_as_the_files_allow(tmp_path):
    index = packed(tmp_path / "data", [[10, 6], [16], [3, 13]], 16)
    data = PackedDataset(index)
    assert (
        documents(data, [1, 0]) == "part.bin at token 16; part.bin at token 0; part.bin at token 10"
    )
    np.save(index.parent / "part.offsets.npy", np.array([0, 10, 16, 40, 48], "<u8"))
    assert documents(data, [2]) == "part.bin row 2"  # both runs are of the third document
    write_json(index.parent / "part.names.json", ["a x", "a y", "b z", "b w"])
    assert documents(data, [0, 2]) == "a x; a y; b z"


def test_marks(tmp_path):
    watch, draw = Watch(), np.random.default_rng(0)
    calm = [3 - 0.01 * k + 0.02 * float(draw.normal()) for k in range(40)]
    assert [watch.marks(loss) for loss in calm] == [{}] * 40
    assert watch.marks(4.0) == {"spike": True}
    assert watch.marks(None) == {"skipped": True} and watch.in_a_row == 1
    assert watch.marks(2.6) == {} and (watch.in_a_row, watch.skipped) == (0, 1)
    # A continued run marks what the undisturbed one would have.
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"loss": loss}) + "\n" for loss in [*calm, 4.0, None]))
    again = Watch(path)
    assert (again.in_a_row, again.skipped) == (1, 1) and list(again.losses) == [*calm, 4.0]


def test_a_constant_loss_has_no_spikes():
    watch = Watch()
    assert [watch.marks(2.0 + 0.001 * (k % 2)) for k in range(200)] == [{}] * 200


def test_json_has_no_nan(tmp_path):
    spec = settings()
    folder, index = poisoned(tmp_path, [at_step(1, spec)[0]])
    run(spec, folder, index, tmp_path / "out" / "DONE.json")
    text = (tmp_path / "out/metrics.jsonl").read_text()
    assert "NaN" not in text and '"skipped": true' in text
    assert torch.isfinite(
        torch.tensor(json.loads((tmp_path / "out/DONE.json").read_text())["final_loss"])
    )
