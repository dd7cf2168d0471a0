"""What a result cost: hours, energy and money of every job behind it, each once."""

import pytest
from lemur.core import energy
from lemur.core.contracts import part
from lemur.core.energy import Energy
from lemur.core.record import JobRecord
from lemur.trace import costs
from lemur.trace.chain import Job
from lemur.trace.costs import Rates


def job(number, output, inputs=(), seconds=3600.0, **facts):
    made = {"seconds": seconds, "command": "x", "started": "", "inputs": {}, "output": {}, **facts}
    return Job(
        number, [output], part(JobRecord, made, "record"), [(f"in{k}", "", k) for k in inputs]
    )


CORES = {"hardware": {"cpus_allowed": 2}}
GPUS = {"hardware": {"cpus_allowed": 2, "gpus": {"name": "NVIDIA H200", "count": 4}}}


def test_only_what_a_figure_was_made_of_counts_and_once():
    jobs = [job(1, "a"), job(2, "b", [1]), job(3, "c", [1, 2]), job(4, "d", [1])]
    assert [one.number for one in costs.behind(jobs, "c")] == [1, 2, 3]
    assert [one.number for one in costs.behind(jobs, "d")] == [1, 4]
    assert costs.behind(jobs, "elsewhere") == []


def test_processor_time_counts_where_it_was_recorded_and_all_cores_where_not():
    known = costs.total([job(1, "a", cpu_seconds=1800.0, **CORES)], Rates())
    assert (known.core_hours, known.bound) == (0.5, False)
    assert known.kwh == pytest.approx(0.5 * 5 / 1000) and known.measured_kwh == 0
    older = costs.total([job(1, "a", **CORES)], Rates())
    assert (older.core_hours, older.bound) == (2.0, True)
    assert older.words() == (
        "Cost: at most 2 core-hours over 1 job, about 10 Wh (by rated power, not measured)."
    )


def test_gpus_count_by_rated_power_or_by_their_counters():
    rated = costs.total([job(1, "a", cpu_seconds=0.0, **GPUS)], Rates())
    assert rated.gpu_hours == 4 and rated.kwh == pytest.approx(2.8)
    stated = costs.total([job(1, "a", cpu_seconds=0.0, **GPUS)], Rates(gpu_watts=500))
    assert stated.kwh == pytest.approx(2.0)
    read = {"gpus_joules": 3.6e6, "gpus_counted": 2, "packages_joules": 0.36e6}
    measured = costs.total([job(1, "a", cpu_seconds=0.0, energy=read, **GPUS)], Rates())
    assert measured.kwh == measured.measured_kwh == pytest.approx(2.1)  # two of four GPUs counted
    assert "about 2.1 kWh (measured)" in measured.words()


def test_training_that_was_continued_counts_all_its_steps(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"seconds": 60}\n' * 3)
    made = job(1, "a", seconds=90.0, cpu_seconds=90.0, outputs=[str(path)], **CORES)
    assert costs.total([made], Rates()).core_hours == pytest.approx(180 / 3600)


def test_money_is_there_where_a_price_is():
    rates = Rates.parse({"price": {"core_hour": 0.5, "gpu_hour": 2, "currency": "EUR"}})
    work = [job(1, "a", cpu_seconds=3600.0, **CORES), job(2, "b", cpu_seconds=0.0, **GPUS)]
    assert costs.total(work, rates).money == pytest.approx(8.5)
    assert costs.total(work, rates).words().endswith(", 8.50 EUR.")
    assert costs.total(work, Rates()).money is None
    only_gpus = Rates.parse({"price": {"gpu_hour": 2, "currency": "EUR"}})
    assert costs.total(work[:1], only_gpus).money is None  # nothing that it used has a price


def counters(folder, micro, busy):
    zone = folder / "powercap" / "intel-rapl:0"
    zone.mkdir(parents=True, exist_ok=True)
    (zone / "name").write_text("package-0\n")
    (zone / "energy_uj").write_text(str(micro))
    (zone / "max_energy_range_uj").write_text("100000000")
    part = folder / "powercap" / "intel-rapl:0:0"
    part.mkdir(exist_ok=True)
    for name, text in (("name", "core"), ("energy_uj", "1"), ("max_energy_range_uj", "2")):
        (part / name).write_text(text)
    (folder / "stat").write_text(f"cpu {busy * 100} 0 0 99999 99999 0 0 0 0 0\n")
    return energy.read(folder / "powercap", folder / "stat")


def test_a_job_has_its_share_of_what_the_packages_used(tmp_path):
    before = counters(tmp_path, 90_000_000, 10)
    after = counters(tmp_path, 30_000_000, 30)  # the counter passed its range: 40 J
    assert energy.used(before, after, 5.0) == Energy(packages_joules=10.0)
    assert energy.used(before, after, 50.0) == Energy(packages_joules=40.0)


def test_a_machine_that_counts_nothing_says_nothing(tmp_path):
    found = energy.read(tmp_path / "none", tmp_path / "stat")
    assert energy.used(found, found, 1.0) is None


class Library:
    """NVIDIA's library with two devices, the second of which cannot count."""

    def nvmlInit_v2(self):  # noqa: N802 (the library's name)
        return 0

    def nvmlShutdown(self):  # noqa: N802
        return 0

    def nvmlDeviceGetCount_v2(self, number):  # noqa: N802
        number._obj.value = 2
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, index, device):  # noqa: N802
        device._obj.value = index + 1
        return 0

    def nvmlDeviceGetHandleByUUID(self, name, device):  # noqa: N802
        device._obj.value = 1
        return 0 if name == b"GPU-a" else 6

    def nvmlDeviceGetTotalEnergyConsumption(self, device, joules):  # noqa: N802
        joules._obj.value = 1500
        return 0 if device.value == 1 else 3


@pytest.mark.parametrize("visible, found", [
    (None, {"0": 1.5}), ("0", {"0": 1.5}), ("1", {}), ("GPU-a, GPU-b", {"GPU-a": 1.5}), ("", {}),
])  # fmt: skip
def test_only_devices_that_the_job_sees_and_that_count_are_read(visible, found):
    assert energy.counted(Library(), visible) == found
    before, after = energy.Counters(gpus=found), energy.Counters(gpus={k: 4.0 for k in found})
    told = Energy(gpus_joules=2.5, gpus_counted=1) if found else None
    assert energy.used(before, after, 0.0) == told
