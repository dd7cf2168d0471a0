"""The paper's recipe with 10,000 shards is planned by one process, in bounded time and memory."""

import json

import pytest
import yaml
from bench.slurm_scale import RUN, dry_runs, measured
from checkout import checkout
from lemur.core.provenance import ROOT


def ten_thousand_files(folder):
    """A checkout whose lock lists 625 shards of each source of the paper's corpus on the hub."""
    corpus = yaml.safe_load((ROOT / "config/corpora/lemur.yaml").read_text())["sources"]
    entries, lock = yaml.safe_load((ROOT / "config/sources.yaml").read_text()), {}
    for name in (source["name"] for source in corpus):
        pin = entries["sources"][name]["from"]
        glob = pin["files"][0]
        files = [
            {"path": glob.replace("*", f"{i:05d}-of-00625"), "size": 10**8, "sha256": f"{i:064x}"}
            for i in range(625)
        ]
        lock[f"sources/{name}"] = {
            "hub": pin["hub"], "repo_type": pin["repo_type"], "revision": pin["revision"],
            "newest": pin["revision"], "globs": pin["files"], "bytes": 625 * 10**8, "files": files,
        }  # fmt: skip
    (checkout(folder) / "config/hub.lock.json").write_text(json.dumps(lock))
    return sum(len(entry["files"]) for entry in lock.values())


def test_a_lock_of_ten_thousand_files_is_planned_in_half_a_minute(tmp_path):
    """The shipped ``parts``, with which a job takes several files: a job's own listing is no part of the
    plan. With a part a file, 40,000 jobs, the plan takes longer: the test below."""
    assert ten_thousand_files(tmp_path / "lemur") == 10_000
    command = [str(tmp_path / "lemur/workflow/env-run"), *RUN[1:], "snakemake", "-n"]
    found = measured([*command, "--config", "recipe=lemur-70b"], tmp_path / "lemur")
    assert found["cpu_seconds"] < 30 and found["peak_mb"] < 2_000, found


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_dry_run_of_ten_thousand_shards(tmp_path):
    """Two gigabytes, and no more for a job than the paper's own 276 shards need."""
    few, many = dry_runs(tmp_path / "lemur", [10_000])
    assert many["shards"] == 10_000 and many["jobs"] > 40_000
    assert many["peak_mb"] < 2_000
    assert many["cpu_seconds"] / many["jobs"] < few["cpu_seconds"] / few["jobs"]
