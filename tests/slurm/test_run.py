"""Recipes through a real SLURM: rules as jobs, with the resources that they ask for."""

import json
import os
import re
import signal
import time

import pytest
from lemur.core.files import sha256_of
from snake import snakemake

RECIPE = ("--config", "recipe=smoke")


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
    # Four cleaned, one plan; downloads run where there is a network, and here that is the caller.
    assert len(jobs) == 5, shown[-3000:]
    assert ", no accounting: " in shown
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
        tmp_path, target, "--set-resources", *small, *RECIPE, changed,
        f"site={site}",
    )  # fmt: skip
    assert process.wait(timeout=280) != 0
    said = (tmp_path / "logs/preflight/smoke/pretrain.log").read_text()
    assert "of its node, on which 0 GPUs are visible" in said
    jobs = cluster.client("squeue", "-h", "-t", "all", "-o", "%P %b").splitlines()
    # Its user's mistake, so neither the profile's attempts nor those of the Snakemake in the job.
    assert jobs.count("gpu gres:gpu:fake:2") == 1, jobs
    assert said.count("rank 0 is the 1.") == 1, said
    shown = (tmp_path / "run.log").read_text()
    assert "Trying to restart" not in shown
    last = [line for line in shown.splitlines()[-6:] if line.startswith("error: ")]
    assert last and "0 GPUs are visible" in last[0], shown[-2000:]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_cluster_with_accounting(accounted, tmp_path):
    """The same command and the same answer as without, which all other tests here have."""
    (tmp_path / "work").mkdir()
    target = "results/corpus/smoke/virtualenvwrapper/part-0-of-1.stats.json"
    accounted.snakemake(tmp_path / "work", target, *RECIPE, seconds=300)
    assert ", accounting by slurmdbd: " in (tmp_path / "work" / "run.log").read_text()
    wait = time.monotonic() + 60  # slurmdbd is told a little later
    while "COMPLETED" not in accounted.client("sacct", "-X", "-n", "-o", "State"):
        assert time.monotonic() < wait
        time.sleep(1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_controller_is_away_at_the_start_and_in_the_middle(cluster, tmp_path):
    """Said in one line each time; what can be submitted or watched again is."""
    shown = tmp_path / "run.log"
    source = "virtualenvwrapper/part-0-of-1"
    download = f"resources/corpora/{source}/manifest.json"
    cluster.snakemake(tmp_path, download, *RECIPE)
    cluster.stop_controller()
    process = cluster.start(
        tmp_path,
        f"results/corpus/smoke/{source}.stats.json",
        "results/smoke/mix/plan.json",
        *RECIPE,
    )
    wait_until(lambda: "slurmctld does not answer" in shown.read_text(), process)
    assert cluster.control("start").returncode == 0
    wait_until(lambda: "slurmctld answers again" in shown.read_text(), process)
    wait_until(lambda: "has been submitted" in shown.read_text(), process)
    cluster.stop_controller()
    wait_until(lambda: shown.read_text().count("slurmctld does not answer") == 2, process)
    time.sleep(20)
    assert cluster.control("start").returncode == 0
    assert process.wait(timeout=300) == 0, shown.read_text()[-3000:]
    text = shown.read_text()
    assert text.count("slurmctld does not answer") == text.count("slurmctld answers again") == 2
    assert "Trying to restart" not in text


# sbatch, the first time with a controller that stands still until it has given up.
HANGING = """#!/bin/sh
if mkdir {home}/hung 2>/dev/null; then kill -STOP $(cat {home}/run/slurmctld.pid); fi
exec {home}/bin/sbatch-there "$@"
"""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_a_hanging_controller_took_runs_once(cluster, tmp_path):
    """sbatch gives up on it, but what was sent is in the queue as soon as it goes on."""
    source = "virtualenvwrapper/part-0-of-1"
    cluster.snakemake(tmp_path, f"resources/corpora/{source}/manifest.json", *RECIPE)
    sbatch, there = cluster.home / "bin/sbatch", cluster.home / "bin/sbatch-there"
    shown = tmp_path / "run.log"
    pid = int((cluster.home / "run/slurmctld.pid").read_text())
    sbatch.rename(there)
    try:
        sbatch.write_text(HANGING.format(home=cluster.home))
        sbatch.chmod(0o755)
        process = cluster.start(tmp_path, f"results/corpus/smoke/{source}.stats.json", *RECIPE)
        wait_until(lambda: "slurmctld does not answer (sbatch: " in shown.read_text(), process)
        os.kill(pid, signal.SIGCONT)
        assert process.wait(timeout=300) == 0, shown.read_text()[-3000:]
    finally:
        os.kill(pid, signal.SIGCONT)
        there.rename(sbatch)
    text = shown.read_text()
    assert "it was in the queue though sbatch got no answer" in text
    assert "Trying to restart" not in text
    run = re.findall(r"SLURM run ID: (\S+)", text)[-1]
    queued = cluster.client("squeue", "-h", "-t", "all", f"--name={run}", "-o", "%T|%k")
    assert re.fullmatch(r"COMPLETED\|job \S+: shard_clean", queued), queued


def wait_until(what, process, seconds=200):
    """Fails when it does not come true, or when ``process`` ends first."""
    deadline = time.monotonic() + seconds
    while not what():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.5)
