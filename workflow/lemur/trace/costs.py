"""What a result cost along its provenance: core-hours, GPU-hours, energy and money."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lemur.core.energy import Energy
from lemur.trace import chain
from lemur.trace.chain import Job

# Where a machine counts no energy: watts of one busy core. A server processor's rated power over its
# cores (280 W over 64 of an EPYC 7763), rounded up; a site may state its own.
CORE_WATTS = 5.0
# Rated power of a whole device, from NVIDIA's data sheets of the SXM forms; another one's is assumed.
GPU_WATTS = {"H200": 700.0, "H100": 700.0, "A100": 400.0, "V100": 300.0}
OTHER_GPU_WATTS = 400.0


@dataclass(frozen=True)
class Rates:
    """A site's own numbers (config/site.yaml). ``core_watts`` and ``gpu_watts`` replace the rated
    power; prices are of one hour or one kWh, in ``currency``; None: not stated."""

    core_watts: float | None = None
    gpu_watts: float | None = None
    core_hour: float | None = None
    gpu_hour: float | None = None
    kwh: float | None = None
    currency: str = ""

    @classmethod
    def parse(cls, site: Mapping[str, Any]) -> "Rates":
        """From ``{power: {...}, price: {...}}``."""
        return cls(**site.get("power", {}), **site.get("price", {}))


@dataclass(frozen=True)
class Cost:
    """``bound``: some jobs recorded no processor time, and count with every core that they might
    use. ``measured_kwh``: the part of ``kwh`` that counters of the machine say. ``money``: None where
    the site states no price."""

    jobs: int
    core_hours: float
    gpu_hours: float
    bound: bool
    kwh: float
    measured_kwh: float
    money: float | None
    currency: str = ""

    def words(self) -> str:
        """``Cost: 0.21 core-hours over 34 jobs, about 1.1 Wh (by rated power)``."""
        hours = f"{'at most ' if self.bound else ''}{_number(self.core_hours)} core-hours"
        if self.gpu_hours:
            hours += f" and {_number(self.gpu_hours)} GPU-hours"
        energy = f"{_number(self.kwh)} kWh" if self.kwh >= 1 else f"{_number(1000 * self.kwh)} Wh"
        measured = self.measured_kwh / self.kwh if self.kwh else 0.0
        if measured > 0.995:
            how = "measured"
        elif measured < 0.005:
            how = "by rated power, not measured"
        else:
            how = f"{measured:.0%} of it measured, the rest by rated power"
        money = "" if self.money is None else f", {self.money:,.2f} {self.currency}".rstrip()
        jobs = f"{self.jobs:,} job{'' if self.jobs == 1 else 's'}"
        return f"Cost: {hours} over {jobs}, about {energy} ({how}){money}."


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def behind(jobs: Sequence[Job], output: str) -> list[Job]:
    """Of ``jobs`` those that ``output`` was made by, back to the downloads; none for a foreign one."""
    by_number = {job.number: job for job in jobs}
    left = [job.number for job in jobs if output in job.outputs]
    found: dict[int, Job] = {}
    while left:
        number = left.pop()
        if number not in found:
            found[number] = by_number[number]
            left += [maker for _, _, maker in by_number[number].inputs if maker is not None]
    return [found[number] for number in sorted(found)]


def total(jobs: Iterable[Job], rates: Rates) -> Cost:
    """The sum over jobs; of training that was continued all its steps count."""
    number, cores, gpus, kwh, measured, bound = 0, 0.0, 0.0, 0.0, 0.0, False
    for job in jobs:
        facts = job.facts
        seconds, recorded = chain.spent(facts), facts.seconds
        # What was recorded is of the last attempt; earlier ones are taken to have been like it.
        attempts = seconds / recorded if recorded else 1.0
        core_seconds = facts.cpu_seconds
        if core_seconds is None:
            bound, core_seconds = True, recorded * (facts.hardware.cpus_allowed or 1)
        devices = facts.hardware.gpus
        count = devices.count if devices else 0
        core_hours = attempts * core_seconds / 3600
        gpu_hours = seconds * count / 3600
        read = facts.energy or Energy()
        if read.packages_joules is not None:
            of_cores = attempts * read.packages_joules / 3.6e6
            measured += of_cores
        else:
            of_cores = core_hours * (rates.core_watts or CORE_WATTS) / 1000
        if count and read.gpus_counted and read.gpus_joules is not None:
            # One node's counters stand for all nodes of a job.
            each = read.gpus_joules / read.gpus_counted
            of_gpus = attempts * each * count / 3.6e6
            measured += of_gpus
        else:
            of_gpus = (
                gpu_hours * (rates.gpu_watts or _rated(devices.name if devices else "")) / 1000
            )
        number += 1
        cores, gpus, kwh = cores + core_hours, gpus + gpu_hours, kwh + of_cores + of_gpus
    return Cost(
        number, cores, gpus, bound, kwh, measured, _money(cores, gpus, kwh, rates), rates.currency
    )


def _rated(name: str) -> float:
    return next((watts for part, watts in GPU_WATTS.items() if part in name), OTHER_GPU_WATTS)


def _money(cores: float, gpus: float, kwh: float, rates: Rates) -> float | None:
    """None where nothing that was used has a price."""
    priced = [(cores, rates.core_hour), (gpus, rates.gpu_hour), (kwh, rates.kwh)]
    if all(price is None for amount, price in priced if amount):
        return None
    return sum(amount * (price or 0.0) for amount, price in priced)
