"""What is asked of SLURM's clients, which are scripts here, and what follows from their answers."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from lemur.dag import failures
from lemur.slurm import controller
from lemur.slurm.executor import SUCCEEDED, Executor

DONE = f"{SUCCEEDED} run"


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
        self._main_event_loop = None
        self._submitted_job_clusters = set()
        self._job_submission_executor = SimpleNamespace(submit=lambda call, job: call(job))

    def submitted(self, number, log=""):
        path = self.folder / f"{number}.log"
        path.write_text(log)
        return SimpleNamespace(external_jobid=str(number), aux={"slurm_logfile": path}, job=None)

    def report_job_success(self, info):
        self.reported[info.external_jobid] = "success"

    def report_job_submission(self, info, register_job=True):
        self.reported[info.external_jobid] = info.aux["slurm_logfile"]

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
    done = executor.submitted(1, f"many lines\n{DONE}\n")
    again = executor.submitted(2, f"{DONE}\nstarted again\n")
    # SLURM may give a number twice, as where its state was lost: the log is an earlier run's.
    earlier = executor.submitted(3, f"{SUCCEEDED} another-run\n")
    assert watch(executor, done, again, earlier) == ["2", "3"]
    assert executor.reported == {"1": "success"}


def test_a_job_that_slurm_forgot_failed(client, tmp_path, caplog):
    """Said at the second question only: a shared file system may show its log late."""
    client("squeue", "exit 0")
    executor = Watching(tmp_path, caplog)
    lost, late = executor.submitted(1, "killed"), executor.submitted(2)
    assert watch(executor, lost, late) == ["1", "2"]
    late.aux["slurm_logfile"].write_text(f"{DONE}\n")
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


# What the plugin reports where sbatch fails.
FAILED = (
    "SLURM sbatch failed. The error message was 'sbatch: error: Batch job submission failed: {}'.\n"
    "    sbatch call:\n        sbatch --parsable --job-name run --output 'logs/a b/%j.log' "
    '--comment x --wrap="it\'s"\n'
)


def job_of(number):
    return SimpleNamespace(jobid=number, name="clean", log=[], is_group=lambda: False)


@pytest.fixture
def submitting(tmp_path, caplog, monkeypatch):
    """An executor whose submissions get these answers, an exception or None for success, in turn."""

    def make(*answers):
        executor, turns, submitted = Watching(tmp_path, caplog), iter(answers), []

        def run_job(self, job):
            answer = next(turns)
            if isinstance(answer, Exception):
                raise answer
            if answer:
                self._report_job_error_threadsafe(SimpleNamespace(job=job), FAILED.format(answer))
            else:
                submitted.append(job.jobid)

        monkeypatch.setattr("snakemake_executor_plugin_slurm.Executor.run_job", run_job)
        monkeypatch.setattr("lemur.slurm.executor.ASK", 0.02)
        return executor, submitted

    return make


AWAY = "Unable to contact slurm controller (connect failure)"
HANGS = "Socket timed out on send/recv operation"


@pytest.mark.parametrize("words", [AWAY, HANGS])
def test_a_job_is_submitted_when_the_controller_is_back(
    client, tmp_path, caplog, submitting, words
):
    executor, submitted = submitting(words, None)
    client("squeue", f"rm {tmp_path}/away 2>&- && exit 1; echo '9|RUNNING|None|job 7: clean x'")
    (tmp_path / "away").touch()
    executor.run_job(job_of(70))
    assert submitted == [70] and not executor.reported
    assert [line.partition("(")[0].strip() for line in caplog.messages] == [
        "SLURM: slurmctld does not answer",
        "SLURM: slurmctld answers again after 0 s.",
    ]


def test_a_job_that_a_hanging_controller_took_is_not_submitted_again(client, caplog, submitting):
    """An attempt before it, which is known, has the same comment; it may appear a little late."""
    executor, submitted = submitting(HANGS)
    executor._submitted = {"3"}
    seen = executor.folder / "seen"
    client("squeue", "echo '3|FAILED|None|job 7: clean x'; echo '4|RUNNING|None|job 70: clean x'; "
                     f"[ ! -e {seen} ] || echo '5|RUNNING|None|job 7: clean x'; touch {seen}")  # fmt: skip
    executor.run_job(job_of(7))
    assert not submitted and list(executor.reported) == ["5"]
    assert str(executor.reported["5"]) == "logs/a b/5.log"
    assert "Job 7 has been submitted with SLURM jobid 5" in caplog.messages[-1]


def test_a_run_that_ends_meanwhile_leaves_no_job_that_nobody_knows(client, tmp_path, submitting):
    executor, submitted = submitting(HANGS)
    client("squeue", "exit 1")
    client("scancel", f'echo "$@" >>{tmp_path}/cancelled')
    with ThreadPoolExecutor(1) as pool:
        pool.submit(executor.run_job, job_of(7))
        while not executor._unanswered:
            time.sleep(0.01)
        executor.cancel_jobs([])
    assert (tmp_path / "cancelled").read_text().endswith(" --name=run\n") and not submitted


def test_jobs_are_told_apart_by_their_comments():
    """Groups of one kind, which neither rule nor wildcards tell apart, too."""
    executor = Executor.__new__(Executor)
    comments = [
        next(executor.get_account_arg(SimpleNamespace(jobid=jobid, name="shard", resources={})))
        for jobid in ("a", "b")
    ]
    assert comments == [" --comment 'job a: shard'", " --comment 'job b: shard'"]


def test_what_submitting_raises_is_the_jobs_error(caplog, submitting):
    """In a thread of a pool it would be lost, and the run would wait for that job for ever."""
    executor, _ = submitting(OSError("disk\nfull"))
    executor.report_job_error = lambda info, msg: executor.reported.update({info.job.jobid: msg})
    with ThreadPoolExecutor(1) as pool:
        pool.submit(executor.run_job, job_of(1)).result()
    assert executor.reported == {1: "error: a job could not be submitted: disk full\n"}


def test_threads_that_hear_nothing_at_once_say_so_once(caplog, monkeypatch):
    def monotonic():  # so slow that all of them look before the first one notes what it saw
        time.sleep(0.02)
        return 0.0

    monkeypatch.setattr(controller, "time", SimpleNamespace(monotonic=monotonic))
    contact = controller.Contact(logging.getLogger("test"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(contact.note_silence, [controller.NoAnswer("away")] * 4))
    assert len(caplog.messages) == 1


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
