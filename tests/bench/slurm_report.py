"""Draw reports/bench/scale.svg and write scale.md from what slurm_scale.py measured.

slurm_report.py scale.json FOLDER     in the environment `figures`
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

INK, FILL = "#1b3a57", "#c8642b"
TEXT = """# What a scheduler and its controller bear

`make bench-slurm` measures it: `tests/bench/slurm_scale.py` on {machine}.

## A dry run of the paper's recipe

Its 16 corpus sources, cut into more shards by an overlay of the corpus. CPU seconds, since the
machine was shared; a SLURM job is what `--profile slurm` submits after `snakemake fetch`.

| shards | Snakemake jobs | SLURM jobs | CPU s | wall s | peak MB | CPU ms a job |
|---:|---:|---:|---:|---:|---:|---:|
{dry}

![CPU seconds and peak memory over Snakemake jobs](scale.svg)

Both grow in proportion to the jobs. In a profile of 3,000 jobs the time is Snakemake's own: building the
graph, evaluating resources and params, and formatting each job's line.

## Jobs a minute

{count} jobs through the SLURM plugin on the test cluster, with the settings of the slurm profile. The
body of each is `touch`, so that it is the controller that is measured and not the nested Snakemake
of a job, which shares its processors here.

| at most in the queue | wall s | jobs a minute | controller's CPU s | peak MB |
|---:|---:|---:|---:|---:|
{through}

With a queue of 100 the bound is how often the jobs' logs are looked at, every two seconds while jobs
end: a queue passes once a look. A shard of the paper's corpus is minutes of work, so that 100 at once
end at 10 to 20 a minute.

## What keeps the scheduler from being flooded

`jobs: 100` in the profile bounds what stands in the queue, whatever the number of shards. A group
joins a shard's cleaning, signatures and tokenizing into one job. Downloads belong to `snakemake fetch`
on a node with internet.
"""


def main() -> None:
    measured, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    rows, through = measured["dry_runs"], measured["throughput"]
    dry = "\n".join(
        f"| {row['shards']:,} | {row['jobs']:,} | {row['slurm_jobs']:,} | {row['cpu_seconds']} "
        f"| {row['seconds']} | {row['peak_mb']:,} | {1000 * row['cpu_seconds'] / row['jobs']:.1f} |"
        for row in rows
    )
    shown = "\n".join(
        f"| {row['at_once']} | {row['seconds']} | {row['jobs_a_minute']} | {row['cpu_seconds']} "
        f"| {row['peak_mb']} |"
        for row in through
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scale.md").write_text(
        TEXT.format(
            dry=dry,
            through=shown,
            count=through[0]["jobs"],
            machine=measured["machine"],
        )
    )
    matplotlib.rcParams.update({"svg.hashsalt": "lemur", "svg.fonttype": "none", "font.size": 9})
    figure, axes = pyplot.subplots(1, 2, figsize=(7, 2.6), layout="constrained")
    jobs = [row["jobs"] for row in rows]
    for axis, key, label, colour in (
        (axes[0], "cpu_seconds", "CPU seconds", INK),
        (axes[1], "peak_mb", "peak memory, MB", FILL),
    ):
        axis.plot(jobs, [row[key] for row in rows], "o-", color=colour)
        axis.set(xlabel="Snakemake jobs", ylabel=label, ylim=(0, None), xlim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.savefig(folder / "scale.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
