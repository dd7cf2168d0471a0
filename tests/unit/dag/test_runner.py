"""lemur.dag.runner: what the terminal shows of Snakemake's log, and the time left."""

import os
import signal
import subprocess
import sys
import time

from lemur.dag.runner import Estimate, Screen, job_counts

LOG = """\
Using workflow specific profile profiles/default for setting default command line arguments.
plan of recipe 'mini' (estimates; nothing has run)
  base        smollm2: 134,515,008 parameters
SNAKEMAKE
=========
  Date: 2026-11-22 15:30:05
  Snakemake version: 9.27.1
Building DAG of jobs...
Provided cores: 2
Job stats:
job         count
--------  -------
clean           1
download        2
total           3

Select jobs to execute...
Execute 1 jobs...

[Sun Nov 22 15:30:09 2026]
rule clean:
    input: resources/corpora/django/part-0-of-1/manifest.json
    output: results/corpus/mini/django/part-0-of-1.parquet
    log: logs/clean/mini/django/part-0-of-1.log
    jobid: 7
    reason: Missing output files: results/corpus/mini/django/part-0-of-1.parquet
    wildcards: corpus=mini, source=django, part=0, parts=1
    resources: tmpdir=/tmp, mem_mb=2000
clean django: 3/6 MB (50%) 1.0 MB/s, 3s left
[Sun Nov 22 15:30:12 2026]
Finished jobid: 7 (Rule: clean)
1 of 3 steps (33%) done
error: eg: the file has sha256 aaa, config/sources.yaml says bbb
RuleException:
CalledProcessError in file "/somewhere/rules/1_corpus.smk", line 21:
Command 'set -euo pipefail;  python download.py' returned non-zero exit status 2.
[Sun Nov 22 15:30:13 2026]
Error in rule download:
    message: None
    jobid: 3
    output: resources/corpora/eg/part-0-of-1/manifest.json
    log: logs/download/corpora/eg/part-0-of-1.log (check log file(s) for error details)
    shell:
        python download.py
        (command exited with non-zero exit code)
Shutting down, this might take some time.
Exiting because a job execution failed. Look above for error messages
"""


def test_the_screen_shows_jobs_progress_and_errors_and_nothing_else():
    screen = Screen(Estimate(job_counts(LOG), {"clean": 4.0, "download": 3.0}))
    shown = [screen.show(line, float(second)) for second, line in enumerate(LOG.splitlines())]
    assert [line for line in shown if line is not None] == [
        "plan of recipe 'mini' (estimates; nothing has run)",
        "  base        smollm2: 134,515,008 parameters",
        "[0/3 jobs, about 10s left] clean django",
        "clean django: 3/6 MB (50%) 1.0 MB/s, 3s left",
        "error: eg: the file has sha256 aaa, config/sources.yaml says bbb",
        "failed: download",
        "  log: logs/download/corpora/eg/part-0-of-1.log (check log file(s) for error details)",
    ]


def test_job_counts():
    assert job_counts(LOG) == {"clean": 1, "download": 2}
    assert job_counts("Nothing to be done") == {}


def test_the_estimate_follows_the_machines_pace():
    estimate = Estimate({"train": 4}, {"train": 100.0})
    assert estimate.seconds_left(0.0) == 400
    estimate.start("1", "train", 0.0)
    assert estimate.seconds_left(50.0) == 350
    estimate.finish("1", 200.0)  # twice as slow as expected
    assert 300 < estimate.seconds_left(200.0) <= 600
    for job in ("2", "3", "4"):
        estimate.start(job, "train", 200.0)
        estimate.finish(job, 400.0)
    assert estimate.seconds_left(400.0) == 0
    assert estimate.line(400.0) == "[4/4 jobs, about 0s left]"


def test_a_job_that_takes_longer_than_expected_never_shows_less_than_nothing():
    estimate = Estimate({"train": 1}, {"train": 10.0})
    estimate.start("1", "train", 0.0)
    assert estimate.seconds_left(1000.0) == 0


# Snakemake, which cleans up for a while after Ctrl-C, and says what it does.
SNAKEMAKE = """#!/bin/bash
[[ " $* " != *" --dry-run "* ]] || exit 0
trap 'echo cleaning up; sleep 0.3; head -c 200000 /dev/zero | tr "\\0" x; touch cleaned; exit 1' INT
touch begun
while :; do sleep 0.02; done
"""


def test_ctrl_c_leaves_no_snakemake_behind(tmp_path):
    """A terminal sends it to both; the runner goes after its Snakemake, with one line."""
    program = tmp_path / "snakemake"
    program.write_text(SNAKEMAKE)
    program.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "lemur.dag.runner", "smoke"], cwd=tmp_path, start_new_session=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE, text=True,
        # Commands that a shell runs in the background ignore it, these tests among them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    while not (tmp_path / "begun").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    time.sleep(0.1)  # the runner reads what its Snakemake says
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert (tmp_path / "cleaned").exists()
    assert process.returncode == 128 + signal.SIGINT
    assert said.splitlines()[-1] == "error: interrupted; the same command continues"
