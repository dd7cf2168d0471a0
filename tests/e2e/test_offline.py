"""A cluster whose nodes have no internet: `snakemake fetch`, then everything with the network off."""

import shutil
import subprocess

import pytest
from lemur.core.files import sha256_of
from snake import planned, snakemake

RECIPE = ("--config", "recipe=smoke")
NO_UPLINK = ("unshare", "--net", "--")


@pytest.mark.long
@pytest.mark.timeout(900)
def test_all_after_fetch_passes_without_a_network(smoke, tmp_path):
    if subprocess.run([*NO_UPLINK, "true"], capture_output=True).returncode:
        pytest.skip("root: unshare --net is refused")
    done = snakemake(tmp_path, "--cores", "2", "fetch", *RECIPE)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "download" not in planned(tmp_path, *RECIPE)
    done = snakemake(tmp_path, "--cores", "2", *RECIPE, before=NO_UPLINK)
    assert done.returncode == 0, done.stderr[-4000:]
    assert (tmp_path / "results" / "smoke" / "report.html").exists()
    for stage in ("pretrain", "sft"):
        weights = f"{stage}/model/model.safetensors"
        assert sha256_of(tmp_path / "results/smoke" / weights) == sha256_of(smoke.recipe / weights)


@pytest.mark.long
def test_what_was_not_fetched_fails_in_one_line(smoke, tmp_path):
    if subprocess.run([*NO_UPLINK, "true"], capture_output=True).returncode:
        pytest.skip("root: unshare --net is refused")
    shutil.copytree(smoke.folder / "resources", tmp_path / "resources", symlinks=True)
    lost = next((tmp_path / "resources" / "corpora").iterdir())
    shutil.rmtree(lost)
    target = "results/smoke/mix/plan.json"
    done = snakemake(tmp_path, "--cores", "2", target, *RECIPE, before=NO_UPLINK, LEMUR_OFFLINE="1")
    assert done.returncode != 0
    said = [
        line for line in done.stderr.splitlines() if "LEMUR_OFFLINE forbids the network" in line
    ]
    assert said and "snakemake fetch" in said[0], done.stderr[-3000:]
