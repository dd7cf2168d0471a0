"""A site's words for what the plan asks: partition, account, GPU type, limits (config/site.yaml)."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lemur.config import load, schema
from lemur.config.values import Values
from lemur.core.errors import UserError
from lemur.cost.resources import Ask, again


def read(path: Path | None = None) -> Values:
    """The site's file, checked; without ``path`` config/site.yaml, or {} where there is none."""
    if path is None:
        path = load.CONFIG / "site.yaml"
        if not path.is_file():
            return {}
    value = load.read_yaml(path) or {}
    schema.check(value, "site", load.shown(path))
    return value


def _kind(ask: Ask) -> str:
    """Which of a site's partitions and limits a job falls under."""
    return "gpu" if ask.gpus else "cpu"


def request(first: Ask, attempt: int, site: Values, rule: str, group: Sequence[Ask] = ()) -> Ask:
    """What ``attempt`` (from 1) of a job asks for, within the site's limits.

    Time is cut at the limit: training continues in the next allocation. A job whose first attempt
    needs more memory than a node has is a UserError. ``group``: the first requests of all rules
    that are one SLURM job with this one, itself among them: each has its share of the limits.
    """
    limits = site.get("limits", {})
    most = limits.get("node_memory_mb")
    if most is not None and first.memory_mb > most:
        raise UserError(
            f"site: limits.node_memory_mb: {rule} needs {first.memory_mb:,} MB on a node, the site "
            f"has {most:,}"
        )
    grown = again(first, attempt)
    longest = limits.get(f"{_kind(first)}_minutes")
    if group:
        most = most and most * first.memory_mb // sum(ask.memory_mb for ask in group)
        longest = longest and longest * first.minutes // sum(ask.minutes for ask in group)
    return dataclasses.replace(
        grown,
        memory_mb=min(grown.memory_mb, most or grown.memory_mb),
        minutes=min(grown.minutes, longest or grown.minutes),
    )


def fit_together(asks: Sequence[Ask], site: Values) -> bool:
    """Whether rules of a shard may be one SLURM job, which asks for no more than the sum of their
    time and of their memory: Snakemake adds up time of what runs in turn, memory of what does not."""
    limits = site.get("limits", {})
    minutes, memory = sum(ask.minutes for ask in asks), sum(ask.memory_mb for ask in asks)
    return minutes <= limits.get("cpu_minutes", minutes) and memory <= limits.get(
        "node_memory_mb", memory
    )


def group_over_limit(name: str, resources: Mapping[str, Any], site: Values) -> str | None:
    """One line where a group of jobs asks for more than the site has, None where it does not."""
    limits = site.get("limits", {})
    for key, resource, unit in (
        ("node_memory_mb", "mem_mb", "MB"),
        ("cpu_minutes", "runtime", "minutes"),
    ):
        asked, most = resources.get(resource) or 0, limits.get(key)
        if most is not None and asked > most:
            return (
                f"site: limits.{key}: the group {name} asks for the {asked:,} {unit} that its jobs "
                f"need together, the site has {most:,}: make the group smaller (--groups, "
                "--group-components)"
            )
    return None


def words(ask: Ask, site: Values) -> Values:
    """Resources of the SLURM plugin that do not change with the attempt, by its names."""
    chosen: Values = {"cpus_per_task": ask.cpus}
    if partition := site.get("partition", {}).get(_kind(ask)):
        chosen["slurm_partition"] = partition
    if "account" in site:
        chosen["slurm_account"] = site["account"]
    if "qos" in site:
        chosen["qos"] = site["qos"]
    # A requeued job must not overwrite the log of its first part.
    chosen["slurm_extra"] = " ".join(["--open-mode=append", *site.get("sbatch", [])])
    if ask.gpus:
        model = site.get("gpu_type")
        chosen["gres"] = f"gpu:{model}:{ask.gpus}" if model else f"gpu:{ask.gpus}"
    if ask.nodes > 1:
        chosen |= {"mpi": "srun", "nodes": ask.nodes, "tasks": ask.nodes}
        if ask.gpus:  # else the plugin asks for a task a GPU, and the job pends for ever
            chosen["tasks_per_gpu"] = -1
    return chosen
