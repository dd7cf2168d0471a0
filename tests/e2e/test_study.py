"""The smallest study, from packages to a verdict, as the command of docs/how-to/study.md runs it."""

import csv
import json

import pytest
from checkout import call, checkout
from snake import job_counts

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


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_cells_are_trained_and_a_verdict_is_said(studied):
    folder, done = studied
    results = folder / "results" / "smallest" / "study"
    assert "H1 is not decided" in done.stdout and "1 of the 3 seeds" in done.stdout
    found = json.loads((results / "analysis.json").read_text())
    rows = list(csv.DictReader((results / "cells.csv").open()))
    assert len(rows) == 6 * 3 + 4 * 2 and (results / "study.svg").stat().st_size > 10_000
    # Training took hold: more code makes code cheaper than at the base, less code makes text so.
    measures = found["bases"]["tiny"]["measures"]
    code, text = measures["code"], measures["text"]
    assert code["values"][3] < code["values"][0] and code["values"][3] < code["base"]
    assert text["values"][0] < text["values"][3]
    for cell, share in (("code-0.000", 0.0), ("code-0.909", 10 / 11), ("code-1.000", 1.0)):
        path = folder / f"results/smallest-tiny-seed-1-{cell}/tokens/realised.json"
        kinds = json.loads(path.read_text())["kinds"]
        assert kinds["code"]["share"] == pytest.approx(share, abs=0.02)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_cell_added_runs_alone(studied):
    folder, _ = studied
    assert not planned(folder, "results/smallest/study/verdict.txt", *STUDY[1:])
    study = folder / "config" / "studies" / "smallest.yaml"
    text = study.read_text()
    study.write_text(text.replace("[0, 1/2, 10/11, 1]", "[0, 1/4, 1/2, 10/11, 1]"))
    jobs = planned(folder, *STUDY)
    assert jobs["continue_pretraining"] == jobs["pack"] == 1 and jobs["generate"] == 3 + 2
    assert not {"clean", "tokenize", "heldout", "prepare_model"} & set(jobs)
