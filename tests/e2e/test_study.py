"""The smallest study, from packages to a verdict, as the command of docs/how-to/study.md runs it."""

import csv
import json

import pytest
from checkout import call, checkout
from snake import job_counts

pytestmark = pytest.mark.timeout(1800)  # a minute on a quiet machine of two cores
STUDY = ("study", "--config", "study=smallest")


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("study") / "lemur")
    done = call(folder, "--cores", "2", *STUDY)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return folder, done


def planned(folder, *arguments):
    done = call(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return job_counts(done.stdout)


def changed(folder, *changes):
    """The study's file with other lines, as somebody who works on it writes them."""
    study = folder / "config" / "studies" / "smallest.yaml"
    text = study.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    study.write_text(text)


def test_cells_are_trained_and_a_verdict_is_said(studied):
    folder, done = studied
    results = folder / "results" / "smallest" / "study"
    assert "H1 is not decided" in done.stdout and "1 of the 3 seeds" in done.stdout
    found = json.loads((results / "analysis.json").read_text())
    rows = list(csv.DictReader((results / "cells.csv").open()))
    assert len(rows) == 5 * 3 and (results / "study.svg").stat().st_size > 10_000
    # Training took hold: more code makes code cheaper than at the base, less code makes text so.
    measures = found["bases"]["tiny"]["measures"]
    code, text = measures["code"], measures["text"]
    assert code["values"][3] < code["values"][0] and code["values"][3] < code["base"]
    assert text["values"][0] < text["values"][3]
    for cell, share in (("code-0.000", 0.0), ("code-0.909", 10 / 11), ("code-1.000", 1.0)):
        path = folder / f"results/smallest-tiny-seed-1-{cell}/tokens/realised.json"
        kinds = json.loads(path.read_text())["kinds"]
        assert kinds["code"]["share"] == pytest.approx(share, abs=0.02)


def test_a_cell_added_runs_alone(studied):
    folder, _ = studied
    assert not planned(folder, "results/smallest/study/verdict.txt", *STUDY[1:])
    changed(folder, ("[0, 1/2, 10/11, 1]", "[0, 1/4, 1/2, 10/11, 1]"))
    jobs = planned(folder, *STUDY)
    assert jobs["continue_pretraining"] == jobs["pack"] == 1 and jobs["generate"] == 3
    assert not {"clean", "tokenize", "heldout", "prepare_model"} & set(jobs)


@pytest.mark.long
def test_controls_and_earlier_steps_are_trained_and_scored(studied):
    """A control needs its shuffled code tokenized; what keeps earlier steps is trained again."""
    folder, _ = studied
    text = (folder / "config" / "studies" / "smallest.yaml").read_text()
    if "[0, 1/4," not in text:  # as the test before leaves it
        changed(folder, ("[0, 1/2, 10/11, 1]", "[0, 1/4, 1/2, 10/11, 1]"))
    arms = "arms: [{name: shuffled, shares: [1/2], code_lines: shuffled}]"
    early = "checkpoints: {shares: [1/4, 1/2], measures: [actions]}"
    changed(folder, ("primary: actions", f"{arms}\n{early}\nprimary: actions"))
    jobs = planned(folder, *STUDY)
    assert jobs["tokenize"] == 3 and jobs["write_checkpoint_model"] == 2 * 5
    assert jobs["continue_pretraining"] == 5 + 1
    done = call(folder, "--cores", "2", *STUDY)
    assert done.returncode == 0, done.stderr[-6000:]
    actions = json.loads((folder / "results/smallest/study/analysis.json").read_text())
    actions = actions["bases"]["tiny"]["measures"]["actions"]
    assert len(actions["over_tokens"]["tokens"]) == 3 and "left_out_error" in actions["over_tokens"]
    assert [row["arm"] for row in actions["controls"]] == ["shuffled"]
