"""A chain of three small jobs whose ``.prov.json`` files the project's own code wrote."""

import json
import sys

import pytest
from lemur.core import provenance
from lemur.core.files import write_json

RECIPE = {"name": "tiny", "description": "Three jobs", "seed": 1}
PIN = {
    "name": "sympy", "licence": "BSD-3-Clause", "sha256": "ab" * 32,
    "from": {"index": "pypi", "package": "sympy", "version": "1.0", "file": "sympy-1.0.tar.gz"},
}  # fmt: skip


def job(script, outputs, inputs, spec, monkeypatch):
    """Write outputs and their records as scripts/<script> would."""
    monkeypatch.setattr(sys, "argv", [str(provenance.ROOT / "scripts" / script), "--spec", json.dumps(spec), "--out", str(outputs[0])])  # fmt: skip
    provenance.Record().write(outputs, inputs, spec, provenance.digest(RECIPE))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The working folder of a run: a download, a trained model of it, and a figure."""
    monkeypatch.chdir(tmp_path)
    from pathlib import Path

    provenance.keep_recipe(RECIPE, provenance.digest(RECIPE))
    manifest = Path("resources/corpora/sympy/part-0-of-1/manifest.json")
    archive = manifest.parent / "files" / "sympy-1.0.tar.gz"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"archive")
    write_json(manifest, {"files": [{"path": f"files/{archive.name}", "sha256": "ab" * 32}]})
    job("1_corpus/download.py", [manifest, archive.parent], [], PIN, monkeypatch)
    done = Path("results/tiny/pretrain/DONE.json")
    model = done.parent / "model"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"weights")
    (model / "config.json").write_text("{}")
    write_json(done, {"files": {"model.safetensors": "cd" * 32}})
    job("4_pretrain/pretrain.py", [done, model], [manifest], {"seed": 1}, monkeypatch)
    figure = Path("results/figures/tiny/loss.svg")
    figure.parent.mkdir(parents=True)
    figure.write_text("<svg/>")
    reported = provenance.ROOT / "reports" / "paper" / "reported.csv"
    job("8_figures/loss.py", [figure], [done, reported], {}, monkeypatch)
    return tmp_path
