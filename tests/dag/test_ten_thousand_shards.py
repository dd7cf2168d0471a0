"""The paper's recipe cut into 10,000 shards is planned by one process of bounded memory."""

import pytest
from bench.slurm_scale import dry_runs


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_dry_run_of_ten_thousand_shards(tmp_path):
    """Two gigabytes, and no more for a job than the paper's own 276 shards need."""
    few, many = dry_runs(tmp_path / "lemur", [10_000])
    assert many["shards"] == 10_000 and many["jobs"] > 40_000
    assert many["peak_mb"] < 2_000
    assert many["cpu_seconds"] / many["jobs"] < few["cpu_seconds"] / few["jobs"]
