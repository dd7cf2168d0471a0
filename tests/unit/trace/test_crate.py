"""The RO-Crate: read back by the library, and every MUST of the Provenance Run profile that it has."""

import json
from pathlib import Path

import pytest
from lemur.trace import chain, crate
from rocrate.rocrate import ROCrate

RECIPE = {"name": "tiny", "description": "Three jobs"}


@pytest.fixture
def made(run):
    out = Path("results/ro-crate-metadata.json")
    crate.write(RECIPE, [Path("results/figures/tiny/loss.svg")], out)
    return ROCrate("results")


def test_the_root_names_its_profiles_and_workflow(made):
    root = made.root_dataset
    assert {entity.id for entity in root["conformsTo"]} == set(crate.PROFILES)
    for key in ("name", "description", "datePublished", "license", "publisher"):
        assert root.get(key), key
    workflow = made.mainEntity
    assert workflow.id == "ro-crate/Snakefile" and "HowTo" in workflow.type
    assert (Path("results") / workflow.id).is_file()


def test_each_job_is_an_action_of_a_step(made):
    jobs = chain.walk([Path("results/figures/tiny/loss.svg")])
    actions = [made.get(f"#job-{job.number}") for job in jobs]
    for job, action in zip(jobs, actions, strict=True):
        tool = action["instrument"]
        assert tool in made.mainEntity["hasPart"]
        assert action["startTime"] <= action["endTime"] and job.facts.recipe_digest in action["description"]  # fmt: skip
        control = made.get(f"#control-{job.number}")
        assert control["object"] is action and control["instrument"]["workExample"] is tool
        assert control["instrument"] in made.mainEntity["step"]
    whole = made.get("#orchestration")
    assert len(whole["object"]) == len(jobs) == 3
    assert whole["result"]["instrument"] is made.mainEntity


def test_files_below_results_are_data_with_their_hash_and_pins_are_named(made):
    figure = made.get("figures/tiny/loss.svg")
    assert figure.type == "File" and len(figure["sha256"]) == 64
    assert figure["encodingFormat"] == "image/svg+xml"
    assert made.get("tiny/pretrain/model/").type == "Dataset"
    assert made.get("#source-sympy")["license"] == "BSD-3-Clause"
    for entity in made.data_entities:
        assert (Path("results") / entity.id).exists(), entity.id


def test_the_same_run_gives_the_same_bytes(made):
    first = Path("results/ro-crate-metadata.json").read_bytes()
    crate.write(RECIPE, [Path("results/figures/tiny/loss.svg")], Path("results/ro-crate-metadata.json"))  # fmt: skip
    assert Path("results/ro-crate-metadata.json").read_bytes() == first
    ids = [entity["@id"] for entity in json.loads(first)["@graph"]]
    assert len(ids) == len(set(ids))
