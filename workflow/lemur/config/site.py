"""A site's words for what the plan asks: partition, account, GPU type, limits (config/site.yaml)."""

import dataclasses
from pathlib import Path
from typing import Any

from lemur.config import load, schema
from lemur.errors import UserError
from lemur.plan.resources import Ask, again

Site = dict[str, Any]


def read(path: Path | None = None) -> Site:
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


def request(first: Ask, attempt: int, site: Site, rule: str) -> Ask:
    """What ``attempt`` (from 1) of a job asks for, within the site's limits.

    Time is cut at the limit: training continues in the next allocation. A job whose first attempt
    needs more memory than a node has is a UserError.
    """
    limits = site.get("limits", {})
    most = limits.get("node_memory_mb")
    if most is not None and first.memory_mb > most:
        raise UserError(
            f"site: limits.node_memory_mb: {rule} needs {first.memory_mb:,} MB on a node, the site "
            f"has {most:,}"
        )
    grown = again(first, attempt)
    return dataclasses.replace(
        grown,
        memory_mb=min(grown.memory_mb, most or grown.memory_mb),
        minutes=min(grown.minutes, limits.get(f"{_kind(first)}_minutes", grown.minutes)),
    )


def words(ask: Ask, site: Site) -> dict[str, Any]:
    """Resources of the SLURM plugin that do not change with the attempt, by its names."""
    chosen: dict[str, Any] = {"cpus_per_task": ask.cpus}
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
