"""What a scheduler and its controller bear: dry runs of up to 10,000 shards, and jobs a minute.

    slurm_scale.py [--shards 276 1000 ...] [--jobs N]     root on Debian; writes scale.json

Dry runs: the paper's recipe with its sources cut into more parts; CPU seconds and peak memory.
Jobs a minute: Snakemake and its SLURM plugin on the test cluster with the slurm profile's settings.
Each job's body is replaced by `touch`: a real nested Snakemake a job would measure this machine.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checkout import checkout  # noqa: E402
from slurm_cluster import NoClusterError, running  # noqa: E402
from snake import job_counts  # noqa: E402

RUN = [str(ROOT / "workflow" / "env-run"), "workflow"]
TINY = f"""
import sys
sys.path.insert(0, {str(ROOT / "workflow")!r})
from lemur.slurm import executor
executor.install({{}})
rule all:
    input: expand("out/{{i}}", i=range(NUMBER))
rule one:
    output: "out/{{i}}"
    resources: mem_mb=300, runtime=10
    shell: "touch {{output}}"
"""
# Submits to the real SLURM what the plugin submits, but for the work itself.
SBATCH = """#!/bin/bash
arguments=() before=
for word in "$@"; do
    [ "$before" != --job-name ] || run=$word
    before=$word
    case $word in
        --wrap=*) number=$(grep -oP 'target-jobs \\W*one:i=\\K\\d+' <<<"$word"); arguments+=("--wrap=mkdir -p out; touch out/$number; echo lemur: succeeded in run $run") ;;
        *) arguments+=("$word") ;;
    esac
done
exec /usr/bin/sbatch "${arguments[@]}"
"""


def measured(command: list[str], folder: Path, **variables: str) -> dict[str, float]:
    """Wall and CPU seconds and peak MB of a command and what it starts; it must succeed."""
    log = folder / "run.log"
    began = time.monotonic()
    with open(log, "w") as file:
        process = subprocess.Popen(
            command, cwd=folder, stdout=file, stderr=file, env={**os.environ, **variables}
        )
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command} failed:\n{log.read_text()[-3000:]}")
    return {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "peak_mb": round(used.ru_maxrss / 1024),
    }


def add_recipes(folder: Path, shards: list[int]) -> None:
    """Add a recipe ``shards-<n>`` for each number to a checkout."""
    corpus = (folder / "config/corpora/lemur.yaml").read_text()
    source = re.compile(r"^  - \{name: [\w-]+", re.M)
    for number in shards:
        parts = number // len(source.findall(corpus))
        more = source.sub(lambda found, parts=parts: f"{found.group()}, parts: {parts}", corpus)
        (folder / f"config/corpora/shards-{number}.yaml").write_text(more)
        recipe = f"extends: lemur-70b\ncorpus: shards-{number}\n"
        (folder / f"config/recipes/shards-{number}.yaml").write_text(recipe)


def dry_runs(folder: Path, shards: list[int]) -> list[dict]:
    add_recipes(checkout(folder), shards)
    rows = []
    for recipe in ("lemur-70b", *(f"shards-{number}" for number in shards)):
        command = [*RUN, "snakemake", "-n", "--quiet", "rules", "all", "--config",
                   f"recipe={recipe}", "quiet_plan=true"]  # fmt: skip
        command[0] = str(folder / "workflow" / "env-run")
        row = measured(command, folder, SLURM_CONF="/dev/null")
        shown = (folder / "run.log").read_text()
        count = job_counts(shown)
        total = sum(count.values())
        # Downloads run on the login node; a shard's three rules are one SLURM job.
        row |= {"shards": count["tokenize"], "jobs": total,
                "slurm_jobs": total - count["download"] - count["signatures"]
                - count["tokenize"] - 1}  # fmt: skip
        rows.append(row)
        print(row, flush=True)
    return rows


def throughput(folder: Path, number: int, queue: int) -> dict:
    """``number`` jobs through the plugin with at most ``queue`` at once in SLURM."""
    work = folder / "work"
    work.mkdir()
    (work / "Snakefile").write_text(TINY.replace("NUMBER", str(number)))
    profile = str(ROOT / "workflow/profiles/slurm")
    command = [*RUN, "snakemake", "--profile", profile, "--jobs", str(queue)]
    try:
        with running(folder / "cluster", CPUS="64", MEM_MB="64000") as cluster:
            (cluster.home / "bin" / "sbatch").write_text(SBATCH)
            row = measured(command, work, **cluster.variables)
    except NoClusterError as error:
        sys.exit(f"error: {error}")
    row |= {"jobs": number, "at_once": queue, "jobs_a_minute": round(number / row["seconds"] * 60)}
    print(row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, nargs="*", default=[1000, 3000, 10_000])
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    # Told to end, it leaves no daemons behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="lemur-scale-") as text:
        folder = Path(text)
        result = {"dry_runs": dry_runs(folder / "checkout", args.shards), "throughput": []}
        for queue in (100, args.jobs):
            (folder / str(queue)).mkdir()
            result["throughput"].append(throughput(folder / str(queue), args.jobs, queue))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    result["machine"] = f"{os.cpu_count()} processors and {memory:.0f} GB of memory"
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
