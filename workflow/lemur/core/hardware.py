"""What a process ran on, as provenance records it. Sizes in GB (10^9 bytes)."""

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from lemur.core.contracts import optional


def _first(path: str, pattern: str) -> str | None:
    try:
        found = re.search(pattern, Path(path).read_text(encoding="utf-8", errors="replace"), re.M)
    except OSError:
        return None
    return found.group(1).strip() if found else None


@dataclass(frozen=True)
class Gpus:
    """GPUs of one model."""

    name: str
    count: int


@dataclass(frozen=True)
class Hardware:
    """The machine of a job, as far as it could be told."""

    machine: str | None = optional()
    cpu: str | None = optional()
    cpus: int | None = optional()
    """Cores of the machine."""
    cpus_allowed: int | None = optional()
    """Cores that the process may use."""
    memory_gb: float | None = optional()
    """Of the machine, GB (10^9 bytes)."""
    gpus: Gpus | None = optional()
    """That the work holds."""
    ranks: int | None = optional()
    """Processes of a job of several."""
    slurm_job: str | None = optional()


def _gpus() -> Gpus | None:
    """Model and number of the GPUs that this work holds: one a rank, once torch has touched one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    return Gpus(torch.cuda.get_device_name(), ranks)


def described() -> Hardware:
    """Machine, processor, cores (of the machine; allowed to this process), memory, GPUs, SLURM job."""
    memory = _first("/proc/meminfo", r"^MemTotal:\s+(\d+) kB")
    return Hardware(
        machine=platform.machine(),
        cpu=_first("/proc/cpuinfo", r"^model name\s*:(.*)$"),
        cpus=os.cpu_count(),
        cpus_allowed=len(os.sched_getaffinity(0)),
        memory_gb=round(int(memory) * 1024 / 1e9, 1) if memory else None,
        gpus=_gpus(),
        ranks=int(os.environ["WORLD_SIZE"]) if "WORLD_SIZE" in os.environ else None,
        slurm_job=os.environ.get("SLURM_JOB_ID"),
    )
