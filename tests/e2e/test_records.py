"""`snakemake paper_figures --config from_records=true`: the radar counted again from the records."""

import csv
import json
import os
import re
from pathlib import Path

import pytest
from lemur.core.provenance import ROOT
from snake import snakemake


def mirror():
    """The folder of recorded trajectories, where this machine has one."""
    named = os.environ.get("LEMUR_MIRROR")
    folder = Path(named.split(os.pathsep)[0]) if named else ROOT.parent / "shared" / "mirror"
    if not (folder / "xingyaoww").is_dir():
        pytest.skip("mirror: no recorded trajectories in LEMUR_MIRROR or ../shared/mirror")
    return folder


def test_the_radar_comes_out_of_the_records(tmp_path):
    done = snakemake(
        tmp_path, "paper_figures", "--cores", "2", "--config", "from_records=true", LEMUR_MIRROR=str(mirror())
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    compared = json.loads((tmp_path / "results" / "agents" / "compared.json").read_text())
    assert compared["equal"] and compared["episodes"] == 6446
    radar = tmp_path / "results" / "figures" / "paper" / "agent_radar.csv"
    rows = list(csv.DictReader(radar.read_text().splitlines()))
    text = radar.read_text()
    # The paper's abstract of each: 100 of 316, 116 of 316, 80 of 134, 56 of 134, 61 and 53 of 136.
    for value in ("31.65", "36.71", "59.7", "41.79", "44.85", "38.97", "32.59"):
        assert re.search(rf"\b{re.escape(value)}", text), value
    assert len(rows) == 12


def test_without_mirror_and_network_the_records_are_refused_in_one_line(tmp_path):
    done = snakemake(
        tmp_path, "paper_figures", "--cores", "1", "--config", "from_records=true",
        LEMUR_MIRROR="", LEMUR_OFFLINE="1",
    )  # fmt: skip
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said and "LEMUR_OFFLINE" in said[0], done.stderr[-2000:]
    assert not list((tmp_path / "resources").rglob("*.jsonl"))
