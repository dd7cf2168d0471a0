"""Energy that the machine's own counters say, where they can be read: RAPL's and NVML's.

Linux shows RAPL's counters of processor packages below /sys/class/powercap, on most systems to root
alone; NVIDIA's library counts each GPU's since the driver was loaded (Volta and later). Both count
what a machine or a device used, whoever used it.
"""

import ctypes
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lemur.core.contracts import optional

POWERCAP = Path("/sys/class/powercap")
STAT = Path("/proc/stat")


@dataclass(frozen=True)
class Counters:
    """One reading. ``packages``: joules and the range of the counter by package; ``gpus``: joules by
    device; ``busy``: processor seconds of everything that runs on the machine."""

    packages: dict[str, tuple[float, float]] = field(default_factory=dict)
    gpus: dict[str, float] = field(default_factory=dict)
    busy: float = 0.0


def read(powercap: Path = POWERCAP, stat: Path = STAT) -> Counters:
    """The counters now; those that cannot be read are left out."""
    return Counters(_packages(powercap), _gpus(), _busy(stat))


@dataclass(frozen=True)
class Energy:
    """Joules of a job, as far as counters tell them."""

    packages_joules: float | None = optional()
    """Its share of what processor packages used, by processor time: other work had the rest."""
    gpus_joules: float | None = optional()
    """Of whole devices."""
    gpus_counted: int | None = optional()
    """How many devices these are."""


def used(before: Counters, after: Counters, processor_seconds: float) -> Energy | None:
    """What was used between two readings, or None where nothing counts it."""
    packages = gpus = devices_counted = None
    shared = before.packages.keys() & after.packages.keys()
    busy = after.busy - before.busy
    if shared and busy > 0:
        # A counter that came to its range began at 0 again.
        joules = sum(
            (after.packages[name][0] - before.packages[name][0]) % after.packages[name][1]
            for name in sorted(shared)
        )
        packages = round(joules * min(1.0, processor_seconds / busy), 1)
    devices = before.gpus.keys() & after.gpus.keys()
    if devices:
        gpus = round(sum(after.gpus[x] - before.gpus[x] for x in sorted(devices)), 1)
        devices_counted = len(devices)
    return Energy(packages, gpus, devices_counted) if (packages, gpus) != (None, None) else None


def _packages(powercap: Path) -> dict[str, tuple[float, float]]:
    found = {}
    # intel-rapl:0 is a package (on AMD's too); intel-rapl:0:0 a part of it.
    for zone in sorted(powercap.glob("intel-rapl:[0-9]*")):
        try:
            if zone.name.count(":") == 1 and (zone / "name").read_text().startswith("package"):
                now, most = (
                    (zone / name).read_text() for name in ("energy_uj", "max_energy_range_uj")
                )
                found[zone.name] = (int(now) / 1e6, int(most) / 1e6)
        except (OSError, ValueError):
            continue
    return found


def _busy(stat: Path) -> float:
    try:
        words = stat.read_text().split("\n", 1)[0].split()
        # user nice system idle iowait irq softirq steal: all but waiting.
        spent = [int(word) for word in words[1:9]]
    except (OSError, ValueError):
        return 0.0
    return (sum(spent) - sum(spent[3:5])) / os.sysconf("SC_CLK_TCK")


def _gpus() -> dict[str, float]:
    """Of the devices that this job may see."""
    if not Path("/dev/nvidiactl").exists():
        return {}
    try:
        return counted(ctypes.CDLL("libnvidia-ml.so.1"), os.environ.get("CUDA_VISIBLE_DEVICES"))
    except OSError:
        return {}


def counted(nvml: Any, visible: str | None) -> dict[str, float]:
    """Joules by device, of ``visible`` ones (indices or UUIDs between commas; None: all)."""
    if nvml.nvmlInit_v2():
        return {}
    number = ctypes.c_uint()
    nvml.nvmlDeviceGetCount_v2(ctypes.byref(number))
    named = [str(k) for k in range(number.value)] if visible is None else visible.split(",")
    found = {}
    for name in filter(None, (line.strip() for line in named)):
        device, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
        if name.isdecimal():
            failed = nvml.nvmlDeviceGetHandleByIndex_v2(int(name), ctypes.byref(device))
        else:
            failed = nvml.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(device))
        ask = nvml.nvmlDeviceGetTotalEnergyConsumption
        if not failed and not ask(device, ctypes.byref(millijoules)):
            found[name] = millijoules.value / 1e3
    nvml.nvmlShutdown()
    return found
