"""How often Snakemake looks at the jobs that wait, which is when one ends."""

import subprocess

import pytest
from lemur.core.provenance import ROOT

# Thirty short jobs, one that takes three seconds, and one that has to wait for both cores.
SNAKEFILE = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow")!r})
from snakemake.scheduling.job_scheduler import JobScheduler
from lemur.dag import scheduler
looks, select = [], JobScheduler.job_selector
JobScheduler.job_selector = lambda self, jobs: looks.append(1) or select(self, jobs)
onstart:
    if config["mended"]:
        scheduler.look_when_a_job_ends(workflow.scheduler)
onsuccess:
    open("looks", "w").write(str(len(looks)))
rule all:
    input: expand("short/{{i}}", i=range(30)), "long", "wide"
rule short:
    output: "short/{{i}}"
    priority: 1
    shell: "touch {{output}}"
rule long:
    input: expand("short/{{i}}", i=range(30))
    output: "long"
    priority: 1
    shell: "sleep 3; touch {{output}}"
rule wide:
    input: "short/0"
    output: "wide"
    threads: 2
    shell: "touch {{output}}"
"""


@pytest.mark.parametrize("mended", [True, False])
def test_a_long_job_is_waited_for_without_a_look_for_each_that_ended_before(tmp_path, mended):
    """Where Snakemake does so itself one day, the second case fails and the module can go."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [ROOT / "workflow/env-run", "workflow", "snakemake", "--cores", "2", "--workflow-profile", "none"]  # fmt: skip
    done = subprocess.run([*command, "--config", f"mended={mended}"], cwd=tmp_path, capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    looks = int((tmp_path / "looks").read_text())
    assert (looks <= 35) is mended, looks


# Snakemake as it is, but for what it says when it has scheduled all.
WATCHED = """
from snakemake.scheduling.job_scheduler import JobScheduler
schedule = JobScheduler.schedule
def watched(self):
    done = schedule(self)
    print("bound:", self.job_rate_limiter and self.job_rate_limiter.max_jobs)
    return done
JobScheduler.schedule = watched
from snakemake.cli import main
main()
"""


@pytest.mark.parametrize("given, bound", [((), None), (("--max-jobs-per-timespan", "10/2s"), 10)])
def test_a_run_of_the_pipeline_has_no_bound_but_one_that_was_asked_for(tmp_path, given, bound):
    command = [ROOT / "workflow/env-run", "workflow", "python", "-c", WATCHED, "-s", ROOT / "Snakefile"]  # fmt: skip
    asked = ["--cores", "1", *given, "results/figures/paper/overview.svg", "--config", "recipe=smoke"]  # fmt: skip
    done = subprocess.run([*command, *asked], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == f"bound: {bound}"
