"""Preflight: two real ranks, and what it says of clocks and disks."""

import json
import subprocess
import sys

import pytest
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT
from lemur.training.preflight import Preflight, check

SPEC = {
    "stage": "pretrain", "device": "cpu", "nodes": 1, "processes_per_node": 2,
    "disk_bytes": 1000, "clock_seconds": 30, "timeout_seconds": 60,
}  # fmt: skip


def launch(folder, spec, processes):
    command = [
        sys.executable, "-m", "lemur.launch", "--processes", str(processes),
        "--out", str(folder / "DONE.json"), "--", str(ROOT / "scripts/4_pretrain/preflight.py"),
        "--spec", json.dumps(spec), "--out", str(folder / "preflight.json"),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=170, check=False)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_two_ranks_meet(tmp_path):
    done = launch(tmp_path, SPEC, 2)
    assert done.returncode == 0, done.stderr
    assert "2 ranks, all-reduce of 4 MB" in done.stderr
    assert json.loads((tmp_path / "preflight.json").read_text())["processes_per_node"] == 2


def test_other_ranks_than_the_recipe_has(tmp_path):
    done = launch(tmp_path, SPEC, 1)
    assert done.returncode == 2
    assert "1 ranks were started and the recipe has 2" in done.stderr
    assert not (tmp_path / "preflight.json").exists()


def test_a_clock_an_hour_off_is_named():
    spec = Preflight(**{**SPEC, "nodes": 2})
    check(spec, [0.0, 1.0, 2.0, 3.0], [2000.0] * 4)
    with pytest.raises(UserError, match=r"clock of node 1 \(rank 2\) is 3,600 s ahead"):
        check(spec, [0.0, 0.0, 3600.0, 0.0], [2000.0] * 4)


@pytest.mark.parametrize("wrong, node, word", [([0, 1], 0, "behind"), ([2, 3], 1, "behind")])
def test_the_file_systems_clock_decides_between_two_nodes(wrong, node, word):
    clocks = [0.0 if rank in wrong else 3600.0 for rank in range(4)]
    with pytest.raises(UserError, match=rf"clock of node {node} .* 3,600 s {word}"):
        check(Preflight(**{**SPEC, "nodes": 2}), clocks, [2000.0] * 4, [3600.0] * 4)


def test_a_disk_that_is_too_small():
    with pytest.raises(UserError, match="0.0 GB are free where checkpoints go"):
        check(Preflight(**SPEC), [0.0, 0.0], [2000.0, 999.0])
