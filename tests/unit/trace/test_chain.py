"""From a result back to its pins: what is printed, and every way in which it cannot be."""

import json
import sys
from pathlib import Path

import pytest
from lemur.core import provenance
from lemur.core.errors import UserError
from lemur.trace import chain, records

FIGURE = Path("results/figures/tiny/loss.svg")


def test_a_chain_leads_from_a_figure_to_the_pin(run):
    text = chain.text([FIGURE])
    lines = text.splitlines()
    order = [line.split("] ")[1] for line in lines if line.startswith("[")]
    assert order == [
        "results/figures/tiny/loss.svg",
        "results/tiny/pretrain/DONE.json, results/tiny/pretrain/model",
        "resources/corpora/sympy/part-0-of-1/files, resources/corpora/sympy/part-0-of-1/manifest.json",
    ]
    assert "    sympy: pypi: sympy 1.0, sympy-1.0.tar.gz, sha256 " + "ab" * 32 + ", licence BSD-3-Clause" in lines  # fmt: skip
    assert [line for line in lines if line.endswith("reports/paper/reported.csv")]
    assert "scripts/4_pretrain/pretrain.py --spec @spec.json --out results/tiny/pretrain/DONE.json" in text  # fmt: skip
    assert text.count("recipe   results/tiny/recipes/") == 3
    assert "envs/figures/" in text and " cores, " in text


def test_every_question_of_the_issue_has_its_answer(run):
    facts = json.loads(records.find(FIGURE).read_text())
    assert facts["recipe_digest"] == provenance.digest(json.loads(Path(facts["recipe"]).read_text()))  # fmt: skip
    assert facts["command"].startswith("workflow/env-run figures python scripts/8_figures/loss.py")
    assert facts["lock"]["sha256"] and facts["seconds"] >= 0
    assert facts["hardware"]["cpus_allowed"] >= 1 and facts["hardware"]["memory_gb"] > 0
    assert set(facts["inputs"]) == {
        "results/tiny/pretrain/DONE.json",
        str(provenance.ROOT / "reports/paper/reported.csv"),
    }
    assert all(len(value) == 64 for value in facts["inputs"].values())
    assert facts["output"]["sha256"] == provenance.sha256_of(FIGURE)


def test_a_file_inside_a_folder_is_covered_by_the_folders_record(run):
    weights = Path("results/tiny/pretrain/model/model.safetensors")
    record = records.find(weights)
    assert record == Path("results/tiny/pretrain/model.prov.json")
    # The hash that DONE.json has is taken, not made again; what DONE.json lacks is hashed.
    files = provenance.read_record(record).output.files
    assert files == {"model.safetensors": "cd" * 32, "config.json": provenance.sha256_of("results/tiny/pretrain/model/config.json")}  # fmt: skip


def test_what_changed_since_is_said(run):
    assert "now  " not in chain.text([FIGURE])
    Path("results/tiny/pretrain/DONE.json").write_text("{}")
    assert "now      results/tiny/pretrain/DONE.json (changed)" in chain.text([FIGURE])
    Path("results/tiny/pretrain/DONE.json").unlink()
    assert "now      results/tiny/pretrain/DONE.json (missing)" in chain.text([FIGURE])


def test_a_recorded_hash_is_taken_only_while_the_file_is_as_recorded(run, monkeypatch):
    def never(path):
        raise AssertionError(f"hashed again: {path}")

    true = provenance.sha256_of(FIGURE)
    with monkeypatch.context() as patched:
        patched.setattr(provenance, "sha256_of", never)
        assert provenance.hash_of(FIGURE) == true
    FIGURE.write_text("<svg></svg>")
    assert provenance.hash_of(FIGURE) != true


@pytest.mark.parametrize(
    "path, message",
    [
        ("results/figures/tiny/los.svg", "no such file; did you mean 'results/figures/tiny/loss.svg'?"),
        ("config/config.yaml", "allowed are paths below results/ and resources/"),
        ("results/nothing/at/all.bin", "no such file"),
        ("/etc/passwd", "not inside"),
    ],
)  # fmt: skip
def test_a_path_without_a_record_is_one_clear_line(path, message, run):
    with pytest.raises(UserError) as error:
        records.check(path)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_an_existing_file_without_a_record_says_so(run):
    Path("results/notes.txt").write_text("mine")
    with pytest.raises(UserError, match="has no .prov.json beside it"):
        records.check("results/notes.txt")


def test_the_record_itself_and_absolute_paths_are_understood(run):
    assert records.check(f"{FIGURE}.prov.json") == FIGURE
    assert records.check(run / FIGURE, run) == FIGURE


def test_a_damaged_record_names_itself(run):
    Path(f"{FIGURE}.prov.json").write_text("{}")
    with pytest.raises(UserError, match=r"loss.svg.prov.json: command is missing"):
        chain.text([FIGURE])


def test_a_resolved_recipe_says_what_it_was_resolved_from(run, monkeypatch):
    monkeypatch.setattr(provenance.sys, "argv", [f"{sys.prefix}/bin/snakemake", "--directory", str(run), "--config", "recipe=tiny"])  # fmt: skip
    recipe = {"name": "tiny", "seed": 2}
    read = [provenance.ROOT / "config" / "recipes" / "mini.yaml"]
    provenance.keep_recipe(recipe, provenance.digest(recipe), {"recipe": "tiny"}, read)
    path = Path("results/tiny/recipes") / f"{provenance.digest(recipe)[:16]}.json"
    text = chain.text([path])
    assert f"recipe   {path}" in text and "config/recipes/mini.yaml" in text
    facts = json.loads(records.find(path).read_text())
    assert facts["command"].endswith("figures snakemake --directory . --config recipe=tiny")
    assert facts["spec"] == {"recipe": "tiny"} and len(facts["inputs"]) == 1
