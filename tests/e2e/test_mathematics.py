"""DeepMind's generator in its own environment: repaired, and the same bytes from the same seed."""

import json
import subprocess

import pytest
from lemur.core.provenance import ROOT

SCRIPT = ROOT / "scripts" / "1_corpus" / "mathematics.py"


def generate(out, **pins):
    source = {"generator": "mathematics-dataset", "seed": 3, "questions": 2, "a_document": 2}
    spec = {"name": "toy", "from": source, "sha256": "none", **pins}
    command = [ROOT / "workflow" / "env-run", "mathematics", "python", SCRIPT]
    command += ["--spec", json.dumps(spec), "--out", out / "manifest.json"]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.long
def test_same_seed_same_bytes(tmp_path):
    built = subprocess.run(
        [ROOT / "workflow" / "env-build", "mathematics"], capture_output=True, text=True
    )
    if built.returncode:
        pytest.skip(f"network: envs/mathematics cannot be built: {built.stderr[-200:]}")
    first, second = (generate(tmp_path / str(n)).stderr.split("sha256 ")[1][:64] for n in (0, 1))
    assert first == second
    done = generate(tmp_path, sha256=first)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(x) for x in (tmp_path / "files/mathematics.jsonl").read_text().splitlines()]
    levels = {row["module"].split("/")[0] for row in rows}
    assert levels == {"train-easy", "train-medium", "train-hard"} and len(rows) == 168
    assert all(len(row["text"].splitlines()) >= 4 for row in rows)
