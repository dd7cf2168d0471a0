"""What is asked of SLURM's clients, which are scripts here, and what follows from their answers."""

import asyncio
import logging
from types import SimpleNamespace

import pytest
from lemur.dag import failures
from lemur.slurm import controller
from lemur.slurm.executor import SUCCEEDED, Executor


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Puts a script in the place of one of SLURM's clients."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "bin").mkdir()

    def make(name, script):
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    make("sacct", f"touch {tmp_path}/asked-accounting; exit 1")
    return make


class Watching(Executor):
    """An executor that keeps what it reports, with jobs 1, 2, ... submitted to it."""

    def __init__(self, folder, caplog):
        self.logger = logging.getLogger("test")
        caplog.set_level(logging.INFO)
        self.run_uuid = "run"
        self._begin_watching()
        self._asked_at -= 3600
        self.reported = {}
        self.folder = folder

    def submitted(self, number, log=""):
        path = self.folder / f"{number}.log"
        path.write_text(log)
        return SimpleNamespace(external_jobid=str(number), aux={"slurm_logfile": path}, job=None)

    def report_job_success(self, info):
        self.reported[info.external_jobid] = "success"

    def report_job_error(self, info, msg=None, **_):
        self.reported[info.external_jobid] = msg

    async def left(self, *infos):
        self._asked_at -= 3600  # the time for the next question has come
        return [info.external_jobid async for info in self.check_active_jobs(list(infos))]


def watch(executor, *infos):
    return asyncio.run(executor.left(*infos))


def test_states_as_squeue_has_them(client, tmp_path, caplog):
    client("squeue", 'printf "1|COMPLETED|None\\n2|OUT_OF_MEMORY|None\\n3|RUNNING|None\\n"'
                     '; printf "4|PENDING|PartitionTimeLimit\\n5|PENDING|Priority\\n"')  # fmt: skip
    executor = Watching(tmp_path, caplog)
    jobs = [executor.submitted(number) for number in range(1, 6)]
    assert watch(executor, *jobs) == ["3", "4", "5"]
    assert executor.reported["1"] == "success"
    assert "SLURM job 2 ended as OUT_OF_MEMORY" in executor.reported["2"]
    assert watch(executor, *jobs[2:]) == ["3", "4", "5"]
    waits = [line for line in caplog.messages if " waits" in line]
    assert waits == ["SLURM: job 4 waits, SLURM's reason: PartitionTimeLimit."]
    assert not (tmp_path / "asked-accounting").exists()


def test_a_job_says_itself_that_it_succeeded(client, tmp_path, caplog):
    """Neither squeue nor the controller is needed for it, nor that SLURM still knows the job."""
    client("squeue", "exit 1")
    executor = Watching(tmp_path, caplog)
    done = executor.submitted(1, f"many lines\n{SUCCEEDED}\n")
    again = executor.submitted(2, f"{SUCCEEDED}\nstarted again\n")
    assert watch(executor, done, again) == ["2"]
    assert executor.reported == {"1": "success"}


def test_a_job_that_slurm_forgot_failed(client, tmp_path, caplog):
    """Said at the second question only: a shared file system may show its log late."""
    client("squeue", "exit 0")
    executor = Watching(tmp_path, caplog)
    lost, late = executor.submitted(1, "killed"), executor.submitted(2)
    assert watch(executor, lost, late) == ["1", "2"]
    late.aux["slurm_logfile"].write_text(f"{SUCCEEDED}\n")
    assert watch(executor, lost, late) == []
    assert executor.reported["2"] == "success"
    assert "is not known to SLURM any more" in executor.reported["1"]


def test_a_controller_that_is_away_is_said_once_and_waited_for(client, tmp_path, caplog):
    client("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
    executor = Watching(tmp_path, caplog)
    job = executor.submitted(1)
    for _ in range(60):  # as many questions as fit into ten minutes
        assert watch(executor, job) == ["1"]
    client("squeue", 'echo "1|COMPLETED|None"')
    assert watch(executor, job) == []
    away, back = caplog.messages
    assert "slurmctld does not answer (slurm_load_jobs error" in away
    assert "answers again" in back


def test_a_job_is_submitted_when_the_controller_is_back(client, tmp_path, caplog, monkeypatch):
    tries = iter(
        ["SLURM sbatch failed. The error message was 'Unable to contact slurm controller'.", None]
    )
    executor = Watching(tmp_path, caplog)
    submitted = []

    def run_job(self, job):
        if problem := next(tries):
            self._report_job_error_threadsafe(SimpleNamespace(job=job), problem)
        else:
            submitted.append(job)

    monkeypatch.setattr("snakemake_executor_plugin_slurm.Executor.run_job", run_job)
    monkeypatch.setattr("lemur.slurm.executor.ASK", 0.05)
    client("scontrol", f"rm {tmp_path}/away && exit 1; echo ClusterName = x")
    (tmp_path / "away").touch()
    executor.run_job(SimpleNamespace(is_group=lambda: False))
    assert len(submitted) == 1 and not executor.reported
    assert [line.partition("(")[0].strip() for line in caplog.messages] == [
        "SLURM: slurmctld does not answer",
        "SLURM: slurmctld answers again after 0 s.",
    ]


def test_a_group_over_the_sites_limit_is_refused_before_it_is_submitted(
    client, tmp_path, caplog, monkeypatch
):
    """What --groups or --group-components put together asks for the sum of its members."""
    monkeypatch.chdir(tmp_path)
    client("sbatch", f"touch {tmp_path}/submitted; exit 1")
    executor = Watching(tmp_path, caplog)
    executor.site = {"limits": {"node_memory_mb": 4000}}
    executor._main_event_loop = None
    executor.report_job_error = lambda info, msg: executor.reported.update(group=msg)
    group = SimpleNamespace(
        name="shard_clean", resources={"mem_mb": 8000}, log=["logs/x.log"], is_group=lambda: True
    )
    executor.run_job(group)
    assert executor.reported["group"].startswith(
        "error: site: limits.node_memory_mb: the group shard_clean asks for the 8,000 MB"
    )
    assert not (tmp_path / "submitted").exists()
    assert (tmp_path / failures.REFUSED / "logs/x.log").exists()  # so that it is not tried again


@pytest.mark.parametrize(
    "kind, words",
    [("none", "no accounting"), ("slurmdbd", "accounting by slurmdbd")],
)
def test_a_cluster_in_one_line(client, kind, words):
    client("scontrol", "echo ClusterName = lemur; echo SLURM_VERSION = 22.05.8; "
                       f"echo 'AccountingStorageType   = accounting_storage/{kind}'")  # fmt: skip
    assert controller.described(controller.configuration()) == (
        f"cluster lemur, SLURM 22.05.8, {words}: jobs are watched with squeue and through their logs"
    )
