"""Recipes through a real SLURM: rules as jobs, with the resources that they ask for."""

import json
import re

import pytest
from lemur.files import sha256_of
from snake import snakemake

RECIPE = ("--config", "recipe=smoke", "quiet_plan=true")


@pytest.mark.timeout(300)
def test_the_first_stages_run_as_jobs(cluster, tmp_path):
    """Every job of three rules goes through sbatch, with memory and time that the plan computed."""
    site = tmp_path / "site.yaml"
    site.write_text("partition: {cpu: high}\nlimits: {cpu_minutes: 7}\n")
    cluster.snakemake(
        tmp_path, "results/smoke/mix/plan.json", *RECIPE, f"site={site}", seconds=280
    )  # fmt: skip
    assert json.loads((tmp_path / "results/smoke/mix/plan.json").read_text())["tokens"] == 32_768
    shown = (tmp_path / "run.log").read_text()
    jobs = re.findall(r"has been submitted with SLURM jobid (\d+)", shown)
    assert len(jobs) == 9, shown[-3000:]  # four downloads, four cleaned, one plan
    shown = cluster.client("squeue", "-h", "-t", "all", "-j", ",".join(jobs), "-o", "%P %l %m")
    asked = {tuple(line.split()) for line in shown.splitlines()}
    assert {(partition, limit) for partition, limit, _ in asked} == {("high", "7:00")}
    assert len({memory for *_, memory in asked}) > 1, "rules of different needs ask for the same"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_smoke_end_to_end_gives_the_bytes_of_a_local_run(cluster, tmp_path):
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there, here):
        folder.mkdir()
    cluster.snakemake(there, *RECIPE, seconds=1700)
    assert (there / "results" / "smoke" / "report.html").exists()
    done = snakemake(here, "--cores", "2", "sft", *RECIPE)
    assert done.returncode == 0, done.stderr[-3000:]
    for stage in ("pretrain", "sft"):
        weights = f"results/smoke/{stage}/model/model.safetensors"
        assert sha256_of(there / weights) == sha256_of(here / weights), stage


@pytest.mark.long
@pytest.mark.timeout(300)
def test_ranks_of_two_nodes_meet_before_they_train(cluster, tmp_path):
    """srun starts a launcher on each node; the preflight's sum goes over all four ranks."""
    changed = (
        "set={pretrain.engine: deepspeed, pretrain.micro_batch_sequences: 2, pretrain.parallel: "
        "{device: cpu, nodes: 2, processes_per_node: 2, zero_stage: 1}}"
    )
    target = "results/smoke/pretrain/preflight.json"
    cluster.snakemake(tmp_path, target, *RECIPE, changed, seconds=280)
    facts = json.loads((tmp_path / target).read_text())
    assert (facts["nodes"], facts["processes_per_node"]) == (2, 2)
    said = (tmp_path / "logs/preflight/smoke/pretrain.log").read_text()
    assert "pretrain: preflight: 4 ranks, all-reduce of 4 MB" in said
    assert "2" in cluster.client("squeue", "-h", "-t", "all", "-o", "%D").splitlines()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_gpus_are_asked_for_and_missed_in_one_line(cluster, tmp_path):
    """The cluster hands out two GPUs of the site's type; they are fake, and the preflight says so."""
    site = tmp_path / "site.yaml"
    site.write_text("gpu_type: fake\npartition: {gpu: gpu}\n")
    changed = (
        "set={pretrain.engine: deepspeed, pretrain.micro_batch_sequences: 2, pretrain.parallel: "
        "{device: cuda, nodes: 1, processes_per_node: 2, zero_stage: 1}}"
    )
    target = "results/smoke/pretrain/preflight.json"
    # Fewer CPUs than GPUs usually have beside them, and less memory: the nodes are small.
    small = ["preflight_pretrain:cpus_per_task=2", "preflight_pretrain:mem_mb=3000"]
    process = cluster.start(
        tmp_path, target, "--retries", "0", "--set-resources", *small, *RECIPE, changed,
        f"site={site}",
    )  # fmt: skip
    assert process.wait(timeout=280) != 0
    said = (tmp_path / "logs/preflight/smoke/pretrain.log").read_text()
    assert "of its node, on which 0 GPUs are visible" in said
    jobs = cluster.client("squeue", "-h", "-t", "all", "-o", "%P %b").splitlines()
    assert "gpu gres:gpu:fake:2" in jobs, jobs
