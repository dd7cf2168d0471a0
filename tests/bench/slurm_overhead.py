"""make bench-overhead: smoke on the test cluster over smoke run locally, and where the rest goes.

    slurm_overhead.py --out reports/bench/slurm.md     root on Debian

Both with the same two processors, by the commands of the README. Wall and CPU seconds of all that
either starts: on a machine that others use, the latter compare. Of each SLURM job: how long it waited
to start, how long its own command ran (the recorded provenance says), how long the rest of it took
(the Snakemake in it), and how late its end was noticed.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from slurm_cluster import Cluster, NoClusterError, running  # noqa: E402
from snake import as_checkout  # noqa: E402

RECIPE = ["--config", "recipe=smoke"]
# sbatch, with the CPU seconds of each job written down when it ends.
SBATCH = """#!/bin/bash
arguments=()
for word in "$@"; do
    case $word in
        --wrap=*) arguments+=("$word; code=\\$?; times >HOME/cpu/\\$SLURM_JOB_ID; exit \\$code") ;;
        *) arguments+=("$word") ;;
    esac
done
exec /usr/bin/sbatch "${arguments[@]}"
"""
STAMP = re.compile(r"^\[(\w{3} \w{3} [ \d]\d [\d:]{8} \d{4})\]$")


@dataclass
class Spent:
    """Seconds of a run."""

    wall: float
    cpu: float


def timed(folder: Path, *arguments: str, **variables: str) -> Spent:
    """Snakemake in ``folder`` as in a checkout; its output goes to run.log."""
    folder.mkdir()
    as_checkout(folder)
    began = time.monotonic()
    with open(folder / "run.log", "w") as log:
        process = subprocess.Popen(
            ["workflow/env-run", "workflow", "snakemake", *arguments, *RECIPE],
            cwd=folder, env={**os.environ, **variables}, stdout=log, stderr=log,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit((folder / "run.log").read_text()[-3000:])
    return Spent(time.monotonic() - began, used.ru_utime + used.ru_stime)


def cpu_of_jobs(folder: Path) -> float:
    """What the shells of all jobs wrote: minutes and seconds of their children, user and system."""
    return sum(
        60 * int(minutes) + float(seconds)
        for path in folder.iterdir()
        for minutes, seconds in re.findall(r"(\d+)m([\d.]+)s", path.read_text())
    )


def finished(log: str) -> dict[str, float]:
    """{Snakemake's job id: when its end was noticed}."""
    now, found = 0.0, {}
    for line in log.splitlines():
        if match := STAMP.match(line):
            now = datetime.strptime(match.group(1), "%a %b %d %H:%M:%S %Y").timestamp()
        elif match := re.match(r"Finished jobid: (\d+)", line):
            found[match.group(1)] = now
    return found


def slurm_jobs(cluster: Cluster) -> dict[str, dict[str, float]]:
    """{SLURM's job id: {submit, start, end}} in seconds of the clock."""
    jobs = {}
    for line in cluster.client("scontrol", "--oneliner", "show", "job").splitlines():
        times = dict(re.findall(r"(?<!\S)(SubmitTime|StartTime|EndTime|JobId)=(\S+)", line))
        job = times.pop("JobId")
        jobs[job] = {
            name.removesuffix("Time").lower(): datetime.fromisoformat(text).timestamp()
            for name, text in times.items()
        }
    return jobs


def parts(folder: Path, cluster: Cluster) -> dict[str, list[float]]:
    """Of each job its seconds of waiting, of running, and until its end was noticed."""
    log = (folder / "run.log").read_text()
    ended = finished(log)
    jobs = slurm_jobs(cluster)
    found: dict[str, list[float]] = {"waiting": [], "running": [], "noticing": []}
    for number, job in re.findall(
        r"^(?:Job|Group job) (\S+) has been submitted with SLURM jobid (\d+)", log, re.M
    ):
        times = jobs[job]
        found["waiting"].append(times["start"] - times["submit"])
        found["running"].append(times["end"] - times["start"])
        if number in ended:
            found["noticing"].append(max(0.0, ended[number] - times["end"]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="lemur-overhead-") as text:
        base = Path(text)
        local = timed(base / "local", "--cores", "2")
        print(f"local: {local}", flush=True)
        home = base / "cluster"
        (home / "cpu").mkdir(parents=True)
        try:
            with running(home, CPUS="2") as cluster:
                (home / "bin/sbatch").write_text(SBATCH.replace("HOME", str(home)))
                there = timed(base / "there", "--profile", "slurm", **cluster.variables)
                there.cpu += cpu_of_jobs(home / "cpu")
                print(f"cluster: {there}", flush=True)
                found = parts(base / "there", cluster)
                own = own_seconds(base / "there")
        except NoClusterError as error:
            sys.exit(f"error: {error}")
    count = len(found["running"])
    rest = sum(found["running"]) - own
    lines = [
        "# What SLURM costs a run of short jobs", "",
        f"`make bench-overhead` ran the recipe `smoke` on one machine of {os.cpu_count()} processors: locally, "
        "and through the test cluster with the slurm profile.", "",
        "| | wall s | CPU s |", "|---|---:|---:|",
        f"| local, `--cores 2` | {local.wall:.0f} | {local.cpu:.0f} |",
        f"| test cluster, `--profile slurm` | {there.wall:.0f} | {there.cpu:.0f} |",
        f"| ratio | {there.wall / local.wall:.2f} | {there.cpu / local.cpu:.2f} |", "",
        f"Where the difference goes, over {count} SLURM jobs, of which several run side by side:", "",
        "| of a SLURM job | s in all | median s a job |", "|---|---:|---:|",
        f"| waits to be started | {sum(found['waiting']):.0f} | {statistics.median(found['waiting']):.1f} |",
        f"| the rule's own command | {own:.0f} | |",
        f"| the Snakemake in it and the step around it | {rest:.0f} | {rest / count:.1f} (mean) |",
        f"| its end is noticed | {sum(found['noticing']):.0f} | {statistics.median(found['noticing']):.1f} |", "",
        "None of it grows with the work of a job: a job of an hour pays as much as one of a second.",
    ]  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n")


def own_seconds(folder: Path) -> float:
    """Seconds of the commands of SLURM jobs, each counted once, by the provenance of their outputs."""
    local = set(
        re.findall(
            r"^localrule \w+:\n(?: .*\n)*?    log: (\S+)", (folder / "run.log").read_text(), re.M
        )
    )
    seen: dict[str, float] = {}
    for path in (
        *(folder / "results").rglob("*.prov.json"),
        *(folder / "resources").rglob("*.prov.json"),
    ):
        made = json.loads(path.read_text())
        if made["log"] not in local:
            seen[made["command"]] = float(made["seconds"])
    return sum(seen.values())


if __name__ == "__main__":
    main()
