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
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests" / "slurm" / "cluster"
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


def checkout(folder: Path, shards: list[int]) -> Path:
    """A copy of this checkout with a recipe ``shards-<n>`` for each number; environments are shared."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in files.stdout.decode().split("\0")[:-1]:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
    (folder / ".envs").symlink_to(ROOT / ".envs")
    corpus = (folder / "config/corpora/lemur.yaml").read_text()
    source = re.compile(r"^  - \{name: [\w-]+", re.M)
    for number in shards:
        parts = number // len(source.findall(corpus))
        more = source.sub(lambda found, parts=parts: f"{found.group()}, parts: {parts}", corpus)
        (folder / f"config/corpora/shards-{number}.yaml").write_text(more)
        recipe = f"extends: lemur-70b\ncorpus: shards-{number}\n"
        (folder / f"config/recipes/shards-{number}.yaml").write_text(recipe)
    return folder


def dry_runs(folder: Path, shards: list[int]) -> list[dict]:
    checkout(folder, shards)
    rows = []
    for recipe in ("lemur-70b", *(f"shards-{number}" for number in shards)):
        command = [*RUN, "snakemake", "-n", "--quiet", "rules", "all", "--config",
                   f"recipe={recipe}", "quiet_plan=true"]  # fmt: skip
        command[0] = str(folder / "workflow" / "env-run")
        row = measured(command, folder, SLURM_CONF="/dev/null")
        shown = (folder / "run.log").read_text()
        count = {rule: int(re.search(rf"^{rule} +(\d+)$", shown, re.M).group(1))
                 for rule in ("clean", "signatures", "tokenize", "download", "total")}  # fmt: skip
        # Downloads run on the login node; a shard's three rules are one SLURM job.
        row |= {"shards": count["tokenize"], "jobs": count["total"],
                "slurm_jobs": count["total"] - count["download"] - count["signatures"]
                - count["tokenize"] - 1}  # fmt: skip
        rows.append(row)
        print(row, flush=True)
    return rows


def throughput(folder: Path, number: int, queue: int) -> dict:
    """``number`` jobs through the plugin with at most ``queue`` at once in SLURM."""
    home = folder / "cluster"
    home.mkdir()
    variables = {
        "LEMUR_SLURM_HOME": str(home), "LEMUR_SLURM_PORT": str(20_000 + os.getpid() % 20_000),
        "LEMUR_SLURM_CPUS": "64", "LEMUR_SLURM_MEM_MB": "64000",
        "SLURM_CONF": str(home / "etc/slurm.conf"), "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
    }  # fmt: skip
    everything = {**os.environ, **variables}
    with open(home / "start.err", "w") as said:
        subprocess.run([CLUSTER, "start"], env=everything, check=True, stdout=said, stderr=said)
    try:
        (home / "bin" / "sbatch").write_text(SBATCH)
        work = folder / "work"
        work.mkdir()
        (work / "Snakefile").write_text(TINY.replace("NUMBER", str(number)))
        command = [
            *RUN,
            "snakemake",
            "--profile",
            str(ROOT / "workflow/profiles/slurm"),
            "--jobs",
            str(queue),
        ]
        row = measured(command, work, **variables)
    finally:
        with open(home / "stop.err", "w") as said:
            subprocess.run([CLUSTER, "stop"], env=everything, check=True, stdout=said, stderr=said)
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
        (folder / "checkout").mkdir()
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
