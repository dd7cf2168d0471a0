"""Cleaning a stage: what would be lost and its cost, told before anything goes."""

import fcntl
import json
from dataclasses import replace
from pathlib import Path

import pytest
from lemur.config import recipe
from lemur.core.errors import UserError
from lemur.cost.recipe import Parallel, planned
from lemur.trace import clean


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A finished pretraining of `smoke` on 4 GPUs, continued once, with a checkpoint left behind."""
    monkeypatch.chdir(tmp_path)
    folder = Path("results/smoke/pretrain")
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "step").write_text("x")
    (folder / "metrics.jsonl").write_text('{"seconds": 1800}\n{"seconds": 1800}\n')
    (folder / "DONE.json").write_text("{}")
    names = [str(folder / name) for name in ("DONE.json", "metrics.jsonl")]
    for name in names:
        facts = {
            "command": "python scripts/4_pretrain/pretrain.py", "inputs": {}, "outputs": names,
            "output": {"path": name}, "started": "2026-01-01T00:00:00+00:00", "seconds": 600.0,
            "hardware": {"gpus": {"name": "x", "count": 4}},
        }  # fmt: skip
        Path(f"{name}.prov.json").write_text(json.dumps(facts))
    Path("results/smoke/sft").mkdir()
    Path("results/smoke/sft/DONE.json").write_text("{}")
    return folder


def test_a_dry_run_tells_gpu_hours_of_every_attempt_and_removes_nothing(run):
    told = clean.clean("pretrain", "smoke", dry_run=True)
    # 600 s were the last attempt's; the steps took an hour on 4 GPUs.
    assert "4.00 GPU-hours and 1.00 hours of jobs" in told and "would remove results/smoke/pretrain" in told  # fmt: skip
    assert "1 x scripts/4_pretrain/pretrain.py" in told and "1 files without a .prov.json" in told
    assert (run / "DONE.json").is_file()


def test_training_that_has_not_ended_has_cost_too(run):
    """SFT of `smoke`, killed after 90 minutes: no record yet, and GPUs as its recipe asks for."""
    working = Path("results/smoke/sft/checkpoints/ab12")
    (working / "step-1").mkdir(parents=True)
    for place in (working, working / "step-1"):  # a checkpoint has its own copy
        (place / "metrics.jsonl").write_text('{"seconds": 5400}\n')
    assert "0.00 hours" in clean.clean("sft", "smoke", dry_run=True)  # finished: a leftover
    Path("results/smoke/sft/DONE.json").unlink()
    told = clean.clean("sft", "smoke", dry_run=True)
    assert "0.00 GPU-hours and 1.50 hours of jobs" in told and "1 x sft, unfinished" in told
    asked = planned(recipe.resolve("smoke"))
    many = replace(asked.sft, parallel=Parallel("cuda", 2, 8, 3))
    lost = clean.cost([Path("results/smoke/sft")], replace(asked, sft=many))
    assert lost.gpu_hours == 1.5 * 16


def test_that_stage_goes_and_nothing_else(run):
    assert "removed results/smoke/pretrain" in clean.clean("pretrain", "smoke", dry_run=False)
    assert not run.exists() and Path("results/smoke/sft/DONE.json").is_file()
    assert clean.clean("pretrain", "smoke", dry_run=True) == "nothing of stage pretrain is here"


def test_a_run_at_work_is_not_robbed(run):
    Path(".snakemake").mkdir()
    with open(".snakemake/run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="wait for it"):
            clean.clean("pretrain", "smoke", dry_run=False)
    assert (run / "DONE.json").is_file()


@pytest.mark.parametrize(
    "stage, name, message",
    [("pretran", "smoke", "did you mean 'pretrain'"), ("sft", "smok", "did you mean 'smoke'")],
)
def test_a_misspelling_is_one_line(stage, name, message, run):
    with pytest.raises(UserError, match=message):
        clean.clean(stage, name, dry_run=True)
